"""Refreshes records that are used, so that garbage collection knows the last use of a result.

A record that is read when it is old (half the grace period: a day) is written again unchanged, in
the background, so a result in use costs one small write a day. A refresh is never waited for and
may fail; it is given up for good where the store does not allow it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from voxk8s.constants import STORE_GRACE_SECONDS
from voxk8s.errors import StoreAccessDenied, StoreError
from voxk8s.storage.backend import Backend, ObjectInfo, UnsupportedUpdate
from voxk8s.storage.thread_pool import ThreadPool

_MAX_PENDING: Final = 256


class AccessRefresh:
    """Refreshes old records, a bounded number at once; the others wait for their next use."""

    def __init__(
        self,
        backend: Backend,
        pool: ThreadPool,
        clock: Callable[[], float],
        *,
        after: float = STORE_GRACE_SECONDS / 2,
    ) -> None:
        """Refresh records that are older than `after` seconds."""
        self._backend = backend
        self._pool = pool
        self._clock = clock
        self._after = after
        self._slots = threading.Semaphore(_MAX_PENDING)
        self._unsupported = False

    def refresh_if_old(self, found: ObjectInfo, data: memoryview) -> None:
        """Start to refresh a record that was read, if it is old."""
        if self._unsupported or self._clock() - found.modified < self._after:
            return
        if self._slots.acquire(blocking=False):
            try:
                self._pool.submit(lambda: self._refresh(found, data))
            except RuntimeError:
                self._slots.release()  # the process is about to end

    def _refresh(self, found: ObjectInfo, data: memoryview) -> None:
        try:
            with suppress(StoreError):
                try:
                    self._backend.touch(found, data, "application/json")
                except (StoreAccessDenied, UnsupportedUpdate):
                    self._unsupported = True
        finally:
            self._slots.release()
