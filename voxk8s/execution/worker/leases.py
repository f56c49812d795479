"""Leases that this process holds, renewed by one thread."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from voxk8s.errors import StoreError
from voxk8s.storage import ResultStore
from voxk8s.storage.lease import Lease

logger = logging.getLogger(__name__)

RENEWALS = 3
"""A lease is renewed so often in the time for which it is held."""


@dataclass(slots=True, eq=False)
class _Held:
    lease: Lease
    seconds: float
    due: float
    lock: threading.Lock


class LeaseRenewer:
    """Holds leases until they are dropped; safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[Lease, _Held] = {}
        self._renewing = False
        self._able: dict[str, bool] = {}

    def has_them(self, store: ResultStore) -> bool:
        """Whether a store has leases that work; it is asked once."""
        able = self._able.get(store.url)
        if able is None:
            try:
                able = store.probe().conditional_updates
            except StoreError as error:
                logger.debug("the store cannot be asked for leases: %s", error)
                return False
            self._able[store.url] = able
        return able

    def hold(self, lease: Lease, seconds: float) -> None:
        """Renew a lease that is ours until it is dropped."""
        pause = seconds / RENEWALS
        with self._changed:
            self._held[lease] = _Held(lease, seconds, time.monotonic() + pause, threading.Lock())
            if not self._renewing:
                self._renewing = True
                threading.Thread(target=self._renew, name="voxk8s-leases", daemon=True).start()
            self._changed.notify()

    def drop(self, lease: Lease) -> None:
        """Give a lease back: whoever waits for it need not wait for its end."""
        with self._changed:
            held = self._held.pop(lease, None)
        if held is None:
            return
        with held.lock:
            try:
                lease.release()
            except StoreError as error:
                logger.debug("a lease could not be given back, and ends by itself: %s", error)

    def _renew(self) -> None:
        while True:
            with self._changed:
                if not self._held:
                    self._renewing = False
                    return
                first = min(self._held.values(), key=lambda held: held.due)
                pause = first.due - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                    continue
                first.due += first.seconds / RENEWALS
            with first.lock:
                if first.lease in self._held and not _renewed(first.lease):
                    self._held.pop(first.lease, None)


def _renewed(lease: Lease) -> bool:
    try:
        return lease.renew()
    except StoreError as error:
        logger.debug("a lease could not be renewed, which is tried again: %s", error)
        return True


leases = LeaseRenewer()
"""Those of this process."""
