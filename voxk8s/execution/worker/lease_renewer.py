"""Renewal of the leases that this process holds.

One thread waits for the time of the next renewal. Each renewal has a thread of its own, so that a
store that answers late delays its own leases only.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from dataclasses import dataclass
from typing import Final

from voxk8s.errors import StoreError
from voxk8s.storage import ResultStore
from voxk8s.storage.lease import Lease

logger = logging.getLogger(__name__)

RENEWALS_PER_TERM: Final = 3
"""How often a lease is renewed in the seconds for which it is valid."""
RELEASE_SECONDS: Final = 2.0
"""How long a process that ends waits for the store to take its leases back."""


@dataclass(slots=True, eq=False)
class _Held:
    lease: Lease
    seconds: float
    due: float
    busy: bool = False
    """Whether a renewal is under way: a lease is not safe for several threads at once."""
    released: bool = False


class LeaseRenewer:
    """Renews leases until they are released; safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[Lease, _Held] = {}
        self._is_renewing = False
        self._supported: weakref.WeakKeyDictionary[ResultStore, bool] = weakref.WeakKeyDictionary()

    def reset_after_fork(self) -> None:
        """Forget everything, in a forked process: the leases are those of the other one."""
        self._changed = threading.Condition()
        self._held = {}
        self._is_renewing = False

    def supports(self, store: ResultStore) -> bool:
        """Whether a store has the conditional updates that leases need; it is asked once."""
        supported = self._supported.get(store)
        if supported is None:
            try:
                supported = store.probe().conditional_updates
            except StoreError as error:
                logger.debug("cannot find out whether the store supports leases: %s", error)
                return False
            self._supported[store] = supported
        return supported

    def hold(self, lease: Lease, seconds: float) -> None:
        """Renew an acquired lease, valid for `seconds`, until it is released."""
        interval = seconds / RENEWALS_PER_TERM
        with self._changed:
            self._held[lease] = _Held(lease, seconds, time.monotonic() + interval)
            if not self._is_renewing:
                self._is_renewing = True
                threading.Thread(target=self._renew, name="voxk8s-leases", daemon=True).start()
            self._changed.notify()

    def release(self, lease: Lease) -> None:
        """Release a lease, so that runs that wait for it need not wait until it expires."""
        with self._changed:
            held = self._held.pop(lease, None)
            if held is None:
                return
            held.released = True
            if held.busy:
                return  # the thread of the renewal releases it
        _release(lease)

    def release_all(self, timeout: float, owner: str | None = None) -> None:
        """Release all leases, or those of an owner, at the same time, within `timeout` seconds.

        For a process that may end while its operations are still running: whoever runs them next
        need not wait until the leases expire.
        """
        with self._changed:
            found = [lease for lease in self._held if owner in (None, lease.owner)]
        deadline = time.monotonic() + timeout
        threads: list[threading.Thread] = []
        for lease in found:
            thread = threading.Thread(
                target=self.release, args=(lease,), name="voxk8s-lease", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # no more threads: Python 3.12 starts none while it ends
                if time.monotonic() < deadline:
                    self.release(lease)
            else:
                threads.append(thread)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _renew(self) -> None:
        while True:
            with self._changed:
                if not self._held:
                    self._is_renewing = False
                    return
                first = min(self._held.values(), key=lambda held: held.due)
                pause = first.due - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                    continue
                first.due += first.seconds / RENEWALS_PER_TERM
                if first.busy:
                    continue
                first.busy = True
            try:
                threading.Thread(
                    target=self._renew_one, args=(first,), name="voxk8s-lease", daemon=True
                ).start()
            except RuntimeError:  # no more threads
                self._renew_one(first)

    def _renew_one(self, held: _Held) -> None:
        renewed = _renewed(held.lease)
        with self._changed:
            held.busy = False
            released = held.released
            if not renewed and not released:
                self._held.pop(held.lease, None)
        if released:
            _release(held.lease)


def _renewed(lease: Lease) -> bool:
    try:
        return lease.renew()
    except StoreError as error:
        logger.debug("cannot renew a lease, trying again: %s", error)
        return True


def _release(lease: Lease) -> None:
    try:
        lease.release()
    except StoreError as error:
        logger.debug("cannot release a lease, it expires by itself: %s", error)


lease_renewer: Final = LeaseRenewer()
"""The renewer of this process."""


atexit.register(lease_renewer.release_all, RELEASE_SECONDS)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lease_renewer.reset_after_fork)
