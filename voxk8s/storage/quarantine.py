"""Corrupt objects are moved below quarantine/, counted, and never returned.

The keys of a run may not delete blobs. What they cannot delete is emptied: that has the size of no
value, so that every look-up and writer sees that it is not there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from voxk8s.errors import CorruptBlob, StoreAccessDenied, StoreError
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.counters import Counters
from voxk8s.storage.layout import quarantine_path
from voxk8s.storage.value_codec import digest_of

MOST_BYTES: Final = 64 * 1024 * 1024
"""Larger objects other than blobs are corrupt; of what is too large, the beginning is kept."""

_MEDIA_TYPE: Final = "application/octet-stream"

_log = logging.getLogger(__name__)


class Quarantine:
    """Reads objects through a check, and moves those that fail it below quarantine/."""

    def __init__(self, backend: Backend, counters: Counters, *, moves: bool = True) -> None:
        """Read objects of a back end; without `moves`, those of others, corrupt ones stay."""
        self._backend = backend
        self._counters = counters
        self._moves = moves

    def read(
        self,
        path: str,
        check: Callable[[memoryview], None],
        *,
        bulk: bool,
        on_valid: Callable[[ObjectInfo, memoryview], None] | None = None,
        most: int = MOST_BYTES,
        move: bool = True,
        move_larger: bool = True,
    ) -> memoryview | None:
        """Return the bytes at a path that pass `check`; None when there are none.

        `check` raises CorruptBlob. Bytes that fail are read once more, since the connection may be
        at fault; an object that fails twice, or has more than `most` bytes, is moved and counts as
        absent; without `move`, or `move_larger`, it is absent and stays. `on_valid` is called with
        an object that passes.
        """
        for last in (False, True):
            answer = self._backend.read(path, bulk=bulk, most=most)
            if answer is None:
                return None
            data, found = answer
            try:
                _check_size(found, most)
                check(data)
            except CorruptBlob as reason:
                if last and move and (move_larger or found.size <= most):
                    self._move(path, found, data, reason)
                continue
            if on_valid is not None:
                on_valid(found, data)
            return data
        return None

    def _move(self, path: str, found: ObjectInfo, data: memoryview, reason: CorruptBlob) -> None:
        self._counters.add("corrupt")
        _log.warning("corrupt object %s in %s: %s", path, self._backend.url, reason)
        if not self._moves or self._backend.is_foreign(path):
            return  # a copy would show what only this process may read
        try:
            if found.size:
                self._keep(path, data)
            # Another writer may have replaced it by now.
            now = self._backend.head(path)
            gone = now is not None and now.is_same(found) and self._remove(path, found)
            # One that stays empty is met again and again.
            if gone and not found.size:
                self._keep(path, data)
        except StoreError as error:
            # Even where it cannot be moved, this process treats it as absent.
            _log.warning("corrupt object %s could not be moved: %s", path, error)

    def _keep(self, path: str, data: memoryview) -> None:
        self._backend.write(quarantine_path(path, digest_of((data,))), (data,), _MEDIA_TYPE)

    def _remove(self, path: str, found: ObjectInfo) -> bool:
        """Delete an object, else empty it; return whether it is deleted."""
        try:
            self._backend.delete(path)
        except StoreAccessDenied:
            if found.size:
                self._backend.write(path, (b"",), _MEDIA_TYPE)
            return False
        return True


def _check_size(found: ObjectInfo, most: int) -> None:
    if found.size > most:
        raise CorruptBlob(f"expected at most {most} bytes, found {found.size}")
