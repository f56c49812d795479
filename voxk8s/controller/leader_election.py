"""Leader election by a Lease: of several replicas, one reconciles.

The guarantees of client-go's election, each with a test:

- *Local time only*: time stamps of other replicas are never compared with the local clock. A lease
  has expired when it was not renewed for its whole duration as measured locally.
- *Renew deadline*: a leader that could not renew its lease within `renew_within` seconds, counted
  from the moment it sent the last renewal that succeeded, stops, before another one may begin.
  Requests that hang do not prolong that.
- *Fence*: beyond client-go, `check` refuses every write of a leader whose deadline is over, even if
  the process was paused and has not run its timers yet.
- *Release*: a leader that stops gives the lease back, and waiting replicas see it at once.
- *Early end*: beyond client-go, a lease that is overdue counts as expired when the holder's pod,
  read at that moment, proves that the holder's process has ended (`replica_identity`).
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
from voxk8s.cluster.kube_errors import AlreadyExists, Conflict, Fenced
from voxk8s.cluster.reflector import ListStarted, WatchError, list_and_watch
from voxk8s.cluster.resources import LEASES, PODS
from voxk8s.controller.replica_identity import ReplicaIdentity
from voxk8s.errors import Voxk8sError

_log = logging.getLogger(__name__)
_RELEASE_ATTEMPTS = 3


@dataclass(slots=True)
class LeaderElector:
    """One candidate for a Lease; durations in seconds, measured by `clock`."""

    kube: KubeClient
    name: str
    namespace: str
    identity: ReplicaIdentity
    clock: Callable[[], float]
    now: Callable[[], datetime]
    duration: float = 12.0
    renew_within: float = 8.0
    retry: float = 2.0
    overdue: float = 2.5
    """Age of the last renewal at which a candidate asks whether the holder has ended."""
    ask_again: float = 0.5
    """Pause before the next such question, and before a renewal that follows a failed one."""
    leading: bool = False
    _seen: tuple[str, str] = ("", "")
    _seen_at: float = 0.0
    _renewed_at: float = 0.0

    async def acquire(self) -> None:
        """Wait until this candidate leads: until the lease is released or has expired."""
        _log.info("waiting for lease %s/%s", self.namespace, self.name)
        changed = asyncio.Event()
        watching = asyncio.create_task(self._watch(changed))
        try:
            while True:
                changed.clear()
                if await self.try_once():
                    break
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.pause):
                        await changed.wait()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        _log.info("leading as %s", self.identity)

    async def renew(self) -> None:
        """Renew the lease periodically; return when it is lost, at the latest at the deadline."""
        pause = self.retry
        while self.leading:
            left = self._deadline - self.clock()
            await asyncio.sleep(max(0.0, min(pause, left)))
            asked, left = self.clock(), self._deadline - self.clock()
            try:
                async with asyncio.timeout(max(0.0, left)):
                    await self.try_once()
            except TimeoutError:
                pass
            # The end of an outage may be the last chance before the deadline.
            pause = self.retry if self._renewed_at >= asked else self.ask_again
            if self.clock() >= self._deadline:
                self.leading = False
        _log.error("lease %s/%s was lost", self.namespace, self.name)

    def check(self) -> None:
        """Raise Fenced unless this candidate leads and its renew deadline is not over."""
        if not self.leading or self.clock() >= self._deadline:
            raise Fenced(f"this replica no longer holds lease {self.namespace}/{self.name}")

    @property
    def _deadline(self) -> float:
        return self._renewed_at + self.renew_within

    async def release(self) -> None:
        """Release the lease, so that the next leader need not wait for it to expire.

        `renew` must have ended before; its last request may still have changed the lease, hence
        the attempts.
        """
        if not self.leading:
            return
        self.leading = False
        for _ in range(_RELEASE_ATTEMPTS):
            try:
                lease = await self.kube.find(LEASES, self.name, self.namespace)
                holder = lease["spec"].get("holderIdentity") if lease else None
                if lease is None or holder != str(self.identity):
                    return
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self.kube.replace(LEASES, lease, self.namespace)
            except Conflict:
                continue
            except Voxk8sError as error:
                _log.info("cannot release the lease: %s", error)
            return

    @property
    def pause(self) -> float:
        """Seconds until a candidate that does not lead tries again, whatever the watch reports.

        A holder that died changes nothing in the lease.
        """
        until_overdue = self._seen_at + self.overdue - self.clock()
        return min(self.retry, max(self.ask_again, until_overdue))

    async def _watch(self, changed: asyncio.Event) -> None:
        """Set `changed` at every change of the lease that the watch reports."""
        fields = f"metadata.name={self.name}"
        async for notice in list_and_watch(
            self.kube, LEASES, self.namespace, field_selector=fields
        ):
            if not isinstance(notice, Bookmark | ListStarted | WatchError):
                changed.set()

    async def try_once(self) -> bool:
        """Take or renew the lease if it is free, expired or held; whether this candidate leads."""
        sent = self.clock()
        try:
            self.leading = await self._take_or_renew()
        except (Conflict, AlreadyExists):
            self.leading = False  # another candidate was faster
        except Voxk8sError as error:
            _log.warning("cannot read or write the lease: %s", error)
            # `leading` is unchanged: the leader keeps leading until `renew_within` is over.
            return False
        if self.leading:
            self._renewed_at = sent
        return self.leading

    async def _take_or_renew(self) -> bool:
        try:
            return await self._take()
        except Conflict:
            if not self.leading:
                raise
            # What changed may be an earlier renewal of its own, which got no answer and was late.
            return await self._take()

    async def _take(self) -> bool:
        lease = await self.kube.find(LEASES, self.name, self.namespace)
        if lease is None:
            await self.kube.create(LEASES, self._new_lease(), self.namespace)
            return True
        spec: dict[str, Any] = lease.setdefault("spec", {})
        holder, renewed = str(spec.get("holderIdentity") or ""), str(spec.get("renewTime") or "")
        if (holder, renewed) != self._seen:
            self._seen, self._seen_at = (holder, renewed), self.clock()
        length = float(spec.get("leaseDurationSeconds") or self.duration)
        mine = str(self.identity)
        if holder not in ("", mine) and self.clock() - self._seen_at < length:
            other = ReplicaIdentity.parse(holder)
            if not (self.identity.succeeds(other) or await self._has_ended(other)):
                return False
        time = self._timestamp()
        if holder != mine:
            spec["acquireTime"] = time
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
        spec |= {
            "holderIdentity": mine,
            "renewTime": time,
            "leaseDurationSeconds": int(self.duration),
        }
        # A holder that is alive after all, and renewed since the lease was read, wins here.
        await self.kube.replace(LEASES, lease, self.namespace)
        self._seen, self._seen_at = (mine, time), self.clock()
        return True

    async def _has_ended(self, holder: ReplicaIdentity | None) -> bool:
        """Whether the lease is overdue and the API server proves that its holder has ended."""
        if holder is None or self.clock() - self._seen_at < self.overdue:
            return False
        try:
            pod = await self.kube.find(PODS, holder.pod, self.namespace)
        except Voxk8sError as error:
            _log.info("cannot read the pod of the lease's holder: %s", error)
            return False
        ended = holder.has_ended(pod)
        if ended:
            _log.info("the holder %s of the lease has ended", holder)
        return ended

    def _new_lease(self) -> KubeObject:
        time = self._timestamp()
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "holderIdentity": str(self.identity),
                "acquireTime": time,
                "renewTime": time,
                "leaseDurationSeconds": int(self.duration),
                "leaseTransitions": 0,
            },
        }

    def _timestamp(self) -> str:
        return self.now().isoformat(timespec="microseconds").replace("+00:00", "Z")
