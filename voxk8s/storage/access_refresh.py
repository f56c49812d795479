"""Records that are used stay young: how collection knows the last use of a result.

A record that is found old (half the grace period: a day) is written again as it is, in the
background, so a result in use costs one small write a day. Nobody waits for it and its failure
does no harm; where nothing may be written it is given up.
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

_MOST_PENDING: Final = 256


class AccessRefresh:
    """Makes old records young, a bounded number at once; the others wait for their next use."""

    def __init__(
        self,
        backend: Backend,
        pool: ThreadPool,
        clock: Callable[[], float],
        *,
        after: float = STORE_GRACE_SECONDS / 2,
    ) -> None:
        """Touch records that are older than `after` seconds."""
        self._backend = backend
        self._pool = pool
        self._clock = clock
        self._after = after
        self._room = threading.Semaphore(_MOST_PENDING)
        self._useless = False

    def consider(self, found: ObjectInfo, data: memoryview) -> None:
        """Touch a record that was read, if it is old."""
        if self._useless or self._clock() - found.modified < self._after:
            return
        if self._room.acquire(blocking=False):
            try:
                self._pool.submit(lambda: self._touch(found, data))
            except RuntimeError:
                self._room.release()  # the process is about to end

    def _touch(self, found: ObjectInfo, data: memoryview) -> None:
        try:
            with suppress(StoreError):
                try:
                    self._backend.touch(found, data, "application/json")
                except (StoreAccessDenied, UnsupportedUpdate):
                    self._useless = True
        finally:
            self._room.release()
