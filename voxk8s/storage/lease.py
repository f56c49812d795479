"""Leases: who computes an expensive result at the moment, so that others may wait for it.

A lease is a small object with its owner and the time at which it expires. It is created only if
there is none, and renewed, or taken over after it has expired, only if its ETag has not changed:
one request each to acquire and renew, two to release. Correctness never depends on a lease: a
process that ignores or loses one computes a result twice, and the store keeps the first of two
equal results. Clock skew only makes a lease expire early or late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from voxk8s.errors import CorruptBlob, InvalidUsage
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.checksummed_json import add_checksum, verify_checksum
from voxk8s.storage.layout import lease_path

_TRIES: Final = 4
_MEDIA_TYPE: Final = "application/json"


class Holder(msgspec.Struct, frozen=True):
    """The holder of a lease: `owner` is unique, `label` is for people.

    The lease expires at `until` (seconds since 1970); each renewal extends it by `seconds`.
    """

    owner: str
    until: float
    label: str = ""
    seconds: float = 0.0


class Lease:
    """One owner's lease of one result key. Not safe for several threads at once."""

    def __init__(
        self,
        backend: Backend,
        key: str,
        owner: str,
        *,
        seconds: float,
        clock: Callable[[], float],
        label: str = "",
    ) -> None:
        """Prepare a lease of `seconds`, without a request: see `acquire`.

        `owner` must be unique to this holder; `label` is shown to those that wait.
        """
        if not owner or seconds <= 0:
            raise InvalidUsage(f"expected an owner and positive seconds, got {owner!r}, {seconds}")
        self._backend = backend
        self._path = lease_path(key)
        self._owner = owner
        self._label = label
        self._seconds = seconds
        self._clock = clock
        self._ours: ObjectInfo | None = None
        """The object as last written here; None when it is not ours."""
        self._waits = False

    @property
    def owner(self) -> str:
        """The owner for which the lease is, or would be, held."""
        return self._owner

    def acquire(self, over: Holder | None = None) -> Holder | None:
        """Acquire the lease if it is free, expired or already ours; otherwise return its holder.

        None means that it is ours. The lease is also taken from the holder `over`, for one that
        has held it too long. Raises UnsupportedUpdate where the store has no conditional updates,
        and StoreUnreachable or StoreAccessDenied.
        """
        holder = None
        # A caller that waits for a holder reads first, one that expects none writes first.
        answer = self._backend.read(self._path) if self._waits else None
        for _ in range(_TRIES):
            if answer is None and self._write(None):
                return None
            answer = answer or self._backend.read(self._path)
            if answer is None:
                continue
            data, found = answer
            answer = None
            holder = _decode(data)
            if holder is not None and not self._is_free(holder, over):
                self._waits = True
                return holder
            if self._write(found):
                return None
        # Other processes were faster each time: report the last holder seen.
        return holder or Holder("", self._clock() + self._seconds, seconds=self._seconds)

    def renew(self) -> bool:
        """Extend the lease by `seconds` from now; False when another owner has taken it over."""
        if self._ours is not None and self._ours.tag and self._write(self._ours):
            return True
        answer = self._backend.read(self._path)
        if answer is None:
            return self._write(None)
        data, found = answer
        holder = _decode(data)
        if holder is not None and holder.owner == self._owner:
            return self._write(found)
        self._ours = None
        return False

    def release(self) -> None:
        """Release the lease, unless another owner has taken it, at or before its expiry."""
        ours, self._ours = self._ours, None
        if ours is not None:
            self._backend.delete_unchanged(ours)

    def _is_free(self, holder: Holder, over: Holder | None) -> bool:
        if holder.owner == self._owner or holder.until <= self._clock():
            return True
        return over is not None and holder.owner == over.owner

    def _write(self, found: ObjectInfo | None) -> bool:
        """Write our lease where there is none, or over the one that was found."""
        holder = Holder(self._owner, self._clock() + self._seconds, self._label, self._seconds)
        data = add_checksum(msgspec.json.encode(holder))
        if found is None:
            written = self._backend.create(self._path, (data,), _MEDIA_TYPE)
        else:
            written = self._backend.update(found, data, _MEDIA_TYPE)
        if written is None:
            return False
        self._ours = written
        return True


def _decode(data: memoryview) -> Holder | None:
    """Return the holder of a lease; None for corrupt bytes, which count as no lease."""
    try:
        verify_checksum(bytes(data))
        return msgspec.json.decode(data, type=Holder)
    except (CorruptBlob, msgspec.DecodeError, UnicodeDecodeError):
        return None
