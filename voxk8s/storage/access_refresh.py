"""Refreshes records and pins that are used, so that garbage collection knows their last use.

An object that is read when it is old (a quarter of the grace period: 12 hours) becomes young again:
in a folder its time is set, elsewhere it is written again unchanged, on the condition that nobody
has changed it. A result in use so costs at most two small writes a day. No reader waits for a
refresh. All are queued, none is dropped, and a few threads of low number work them off; the end of
a run waits for them, see `flush`.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

from voxk8s.constants import STORE_GRACE_SECONDS
from voxk8s.errors import InvalidUsage, StoreAccessDenied, StoreError
from voxk8s.storage.backend import Backend, ObjectInfo, UnsupportedUpdate

_log = logging.getLogger(__name__)

REFRESH_AFTER: Final = STORE_GRACE_SECONDS / 4
"""Younger objects are not refreshed: a recorded use is at most this much too early, in seconds."""
_WIDTH: Final = 8
_MAX_BYTES_KEPT: Final = 16 * 1024 * 1024
"""Bytes of objects that wait; of further ones only the paths are kept, and they are read again."""
_LINGER_SECONDS: Final = 1.0
"""A thread without work ends after this time."""
_EXIT_SECONDS: Final = 5.0
"""How long the end of a process waits for refreshes that no run has waited for."""
_MEDIA_TYPE: Final = "application/json"


class AccessRefresh:
    """Refreshes old objects in the background. Safe to use from many threads."""

    def __init__(
        self, backend: Backend, clock: Callable[[], float], *, after: float = REFRESH_AFTER
    ) -> None:
        """Refresh objects that are older than `after` seconds when they are used."""
        self._backend = backend
        self._clock = clock
        self._after = after
        self._unsupported: StoreError | None = None
        self._failed: StoreError | None = None
        self._reported = False
        self._reset()

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._changed = threading.Condition()
        self._waiting: dict[str, tuple[ObjectInfo, bytes | None]] = {}
        self._running: set[str] = set()
        self._bytes = 0
        self._threads = 0

    def refresh_if_old(self, found: ObjectInfo, data: memoryview) -> None:
        """Queue an object that was read, if it is old."""
        if self._unsupported is not None or self._clock() - found.modified < self._after:
            return
        if self._owner != os.getpid():
            self._reset()  # a forked process has none of the threads
        with self._changed:
            if found.path in self._waiting or found.path in self._running:
                return
            if not self._waiting and not self._running:
                with _pending_lock:
                    _pending.add(self)
            keep = self._bytes + len(data) <= _MAX_BYTES_KEPT
            self._waiting[found.path] = found, bytes(data) if keep else None
            self._bytes += len(data) if keep else 0
            if self._threads >= min(_WIDTH, len(self._waiting) + len(self._running)):
                self._changed.notify_all()
                return
            self._threads += 1
        try:
            threading.Thread(target=self._work, name="voxk8s-refresh", daemon=True).start()
        except RuntimeError:  # no more threads, or the process is about to end
            with self._changed:
                self._threads -= 1

    def flush(self, timeout: float) -> bool:
        """Wait until everything that was used is refreshed; False, and a warning, if it is not.

        It is not when `timeout` seconds have passed (the rest is refreshed by and by, while the
        process lives), or the store did not answer, or does not allow refreshes; the latter is
        reported once.
        """
        deadline = time.monotonic() + timeout
        if self._owner != os.getpid():
            return True
        with self._changed:
            while (left := len(self._waiting) + len(self._running)) and self._threads:
                pause = deadline - time.monotonic()
                if pause <= 0:
                    break
                self._changed.wait(pause)
            failed, self._failed = self._failed, None
            silent = self._reported
            self._reported = self._reported or self._unsupported is not None
        if self._unsupported is not None:
            if not silent:
                self._warn("is not recorded", self._unsupported)
            return False
        if left:
            self._warn(f"is not recorded yet for {left:,} of them", f"{timeout:g} s have passed")
        elif failed is not None:
            self._warn("is not recorded for all", failed)
        return not left and failed is None

    def _warn(self, what: str, why: object) -> None:
        _log.warning(
            "results in %s were used and their last use %s (%s): garbage collection by age takes"
            " them for older than they are",
            self._backend.url,
            what,
            why,
        )

    def _work(self) -> None:
        """Refresh what waits, in one of several threads, until there is no more."""
        while (taken := self._take()) is not None:
            found, data = taken
            try:
                self._refresh(found, data)
            except (StoreAccessDenied, UnsupportedUpdate) as error:
                self._give_up(error)
            except (StoreError, InvalidUsage) as error:
                self._failed = error if isinstance(error, StoreError) else StoreError(str(error))
            finally:
                with self._changed:
                    self._running.discard(found.path)
                    if not self._waiting and not self._running:
                        with _pending_lock:
                            _pending.discard(self)
                        self._changed.notify_all()

    def _take(self) -> tuple[ObjectInfo, bytes | None] | None:
        """Return the next object; None, and one thread less, when there is none for a while."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(_LINGER_SECONDS)
            if not self._waiting:
                self._threads -= 1
                self._changed.notify_all()
                return None
            path = next(iter(self._waiting))
            found, data = self._waiting.pop(path)
            self._bytes -= 0 if data is None else len(data)
            self._running.add(path)
            return found, data

    def _refresh(self, found: ObjectInfo, data: bytes | None) -> None:
        if data is None and self._backend.touch_needs_data:
            answer = self._backend.read(found.path)
            if answer is None:
                return
            now, again = answer
            if not again.is_same(found):
                return  # written meanwhile, so it is young
            data = bytes(now)
        self._backend.touch(found, data or b"", _MEDIA_TYPE)

    def _give_up(self, error: StoreError) -> None:
        with self._changed:
            self._unsupported = error
            self._waiting.clear()
            self._bytes = 0


_pending: weakref.WeakSet[AccessRefresh] = weakref.WeakSet()
"""Those with something to refresh."""
_pending_lock = threading.Lock()


def _flush_all() -> None:
    deadline = time.monotonic() + _EXIT_SECONDS
    with _pending_lock:
        pending = list(_pending)
    for refresh in pending:
        refresh.flush(max(0.0, deadline - time.monotonic()))


atexit.register(_flush_all)
