"""Corrupt objects are set aside, counted, and never handed out."""

from __future__ import annotations

import logging
from collections.abc import Callable

from voxk8s.errors import CorruptBlob, StoreError
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.counters import Counters
from voxk8s.storage.layout import quarantine_path
from voxk8s.storage.value_codec import digest_of

_log = logging.getLogger(__name__)


class Quarantine:
    """Reads objects through a check; what does not pass is moved below quarantine/."""

    def __init__(self, backend: Backend, counters: Counters) -> None:
        """Set aside what is corrupt in `backend`."""
        self._backend = backend
        self._counters = counters

    def read(
        self,
        path: str,
        check: Callable[[memoryview], None],
        *,
        bulk: bool,
        seen: Callable[[ObjectInfo, memoryview], None] | None = None,
    ) -> memoryview | None:
        """Bytes at a path that pass `check`, or None when there are none.

        `check` raises CorruptBlob. What fails is read once more, since the line may be at fault;
        what fails twice is moved away and counts as absent. `seen` is told what is sound.
        """
        for last in (False, True):
            answer = self._backend.read(path, bulk=bulk)
            if answer is None:
                return None
            data, found = answer
            reason = _passes(check, data)
            if reason is None:
                if seen is not None:
                    seen(found, data)
                return data
            if last:
                self._set_aside(path, found, data, reason)
        return None

    def _set_aside(
        self, path: str, found: ObjectInfo, data: memoryview, reason: CorruptBlob
    ) -> None:
        self._counters.add("corrupt")
        _log.warning("corrupt object %s in %s: %s", path, self._backend.url, reason)
        try:
            target = quarantine_path(path, digest_of((data,)))
            self._backend.write(target, (data,), "application/octet-stream")
            # Somebody may have put it right meanwhile.
            now = self._backend.head(path)
            if now is not None and now.is_same(found):
                self._backend.delete(path)
        except StoreError as error:
            # Without the right to move it, it still is as good as absent to this process.
            _log.warning("corrupt object %s could not be moved: %s", path, error)


def _passes(check: Callable[[memoryview], None], data: memoryview) -> CorruptBlob | None:
    try:
        check(data)
    except CorruptBlob as error:
        return error
    return None
