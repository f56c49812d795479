"""Leader election by a Lease: of several operators, one acts.

Times of other operators are never compared with ours: a lease is over when its holder did not
renew it for its whole duration by our clock. (The client's own election keeps its record in an
annotation with local times, which disagrees with every other tool that reads Leases.)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voxk8s.cluster.kube_client import Bookmark, KubeClient, KubeObject
from voxk8s.cluster.kube_errors import AlreadyExists, Conflict
from voxk8s.cluster.reflector import WatchError, list_and_watch
from voxk8s.cluster.resources import LEASES
from voxk8s.errors import Voxk8sError

_log = logging.getLogger(__name__)
_RELEASES = 3


@dataclass(slots=True)
class LeaderElector:
    """One candidate's view of a Lease; all times in seconds of `clock`."""

    kube: KubeClient
    name: str
    namespace: str
    identity: str
    clock: Callable[[], float]
    now: Callable[[], datetime]
    duration: float = 15.0
    renew_within: float = 10.0
    retry: float = 2.0
    leading: bool = False
    _seen: tuple[str, str] = ("", "")
    _seen_at: float = 0.0
    _renewed_at: float = 0.0

    async def acquire(self) -> None:
        """Wait until we lead: at once when the lease is given up, else until it is over."""
        _log.info("waiting to lead by lease %s/%s", self.namespace, self.name)
        changed = asyncio.Event()
        listening = asyncio.create_task(self._listen(changed))
        try:
            while True:
                changed.clear()
                if await self.try_once():
                    break
                # A holder that died changes nothing: we look without being told as well.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), self.retry)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        _log.info("leading as %s", self.identity)

    async def keep(self) -> None:
        """Renew the lease for as long as we can; returns when it is lost."""
        while True:
            await asyncio.sleep(self.retry)
            if await self.try_once():
                continue
            if not self.leading or self.clock() - self._renewed_at >= self.renew_within:
                self.leading = False
                _log.error("the lease %s/%s was lost", self.namespace, self.name)
                return

    async def release(self) -> None:
        """Give the lease up, so that the next one need not wait for it to run out.

        Nobody may `keep` it any more; a renewal that was under way may have reached the API server.
        """
        if not self.leading:
            return
        self.leading = False
        for _ in range(_RELEASES):
            try:
                lease = await self.kube.find(LEASES, self.name, self.namespace)
                if lease is None or lease["spec"].get("holderIdentity") != self.identity:
                    return
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self.kube.replace(LEASES, lease, self.namespace)
            except Conflict:
                continue
            except Voxk8sError as error:
                _log.info("the lease could not be given up: %s", error)
            return

    async def _listen(self, changed: asyncio.Event) -> None:
        """Tell of every change of the lease, as far as its watch does."""
        fields = f"metadata.name={self.name}"
        async for notice in list_and_watch(
            self.kube, LEASES, self.namespace, field_selector=fields
        ):
            if not isinstance(notice, Bookmark | WatchError):
                changed.set()

    async def try_once(self) -> bool:
        """Take or renew the lease if it is ours, free or over; says whether we lead."""
        try:
            self.leading = await self._try()
        except (Conflict, AlreadyExists):
            self.leading = False  # somebody else was faster
        except Voxk8sError as error:
            _log.warning("the lease cannot be reached: %s", error)
            # Not an answer: we lead until the time for renewing is over.
            return False
        if self.leading:
            self._renewed_at = self.clock()
        return self.leading

    async def _try(self) -> bool:
        lease = await self.kube.find(LEASES, self.name, self.namespace)
        if lease is None:
            await self.kube.create(LEASES, self._fresh(), self.namespace)
            return True
        spec: dict[str, Any] = lease.setdefault("spec", {})
        holder, renewed = str(spec.get("holderIdentity") or ""), str(spec.get("renewTime") or "")
        if (holder, renewed) != self._seen:
            self._seen, self._seen_at = (holder, renewed), self.clock()
        length = float(spec.get("leaseDurationSeconds") or self.duration)
        if holder not in ("", self.identity) and self.clock() - self._seen_at < length:
            return False
        moment = self._moment()
        if holder != self.identity:
            spec["acquireTime"] = moment
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
        spec |= {
            "holderIdentity": self.identity,
            "renewTime": moment,
            "leaseDurationSeconds": int(self.duration),
        }
        await self.kube.replace(LEASES, lease, self.namespace)
        self._seen, self._seen_at = (self.identity, moment), self.clock()
        return True

    def _fresh(self) -> KubeObject:
        moment = self._moment()
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "holderIdentity": self.identity,
                "acquireTime": moment,
                "renewTime": moment,
                "leaseDurationSeconds": int(self.duration),
                "leaseTransitions": 0,
            },
        }

    def _moment(self) -> str:
        return self.now().isoformat(timespec="microseconds").replace("+00:00", "Z")
