"""Leases: who computes an expensive result right now, so that others may wait instead.

A lease is a small object with its owner and the time until which it is held. It is made only if
there is none, and renewed or taken over (when its time is up) only if it is as it was read, by its
ETag: one request to take it, to renew it and to give it back. Correctness never depends on a lease:
who ignores one, or loses one, computes what somebody else computes too, and the store keeps the
first of two equal results. Clocks that disagree make a lease end early or late, no more.
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
    """Who has a lease: `owner` is unique, `label` is for people, `until` seconds since 1970.

    `seconds` is how long it is held after each renewal.
    """

    owner: str
    until: float
    label: str = ""
    seconds: float = 0.0


class Lease:
    """One owner's lease of one result key. Not for several threads at once."""

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
        """Nothing is asked for yet: see `acquire`. `seconds` is how long it is held unless renewed.

        `owner` must be unique to this holder; `label` is what followers are told.
        """
        if not owner or seconds <= 0:
            raise InvalidUsage("a lease needs an owner, and seconds above 0")
        self._backend = backend
        self._path = lease_path(key)
        self._owner = owner
        self._label = label
        self._seconds = seconds
        self._clock = clock
        self._ours: ObjectInfo | None = None
        """As it was when it was last written here, while nobody is known to have taken it over."""
        self._until = 0.0
        self._waits = False

    def acquire(self, over: Holder | None = None) -> Holder | None:
        """Take the lease if it is free, has run out, or is ours already; else tell who has it.

        None means that it is ours. It is also taken from the holder `over`, who has had it for too
        long. Raises UnsupportedUpdate where the store has no leases, and StoreUnreachable or
        StoreAccessDenied.
        """
        holder = None
        # Who waits for a holder asks for it first, who does not expect one writes first.
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
        # Others are quicker each time: whoever was seen last has it, or somebody like that.
        return holder or Holder("", self._clock() + self._seconds, seconds=self._seconds)

    def renew(self) -> bool:
        """Hold the lease for `seconds` from now; False when somebody else has taken it over."""
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
        """Give the lease back, if it is still ours."""
        if self._ours is None:
            return
        if self._clock() >= self._until:
            # Its time is up, so that somebody may have it by now.
            data = self._backend.get(self._path)
            holder = None if data is None else _decode(data)
            if holder is None or holder.owner != self._owner:
                return
        self._ours = None
        self._backend.delete(self._path)

    def _is_free(self, holder: Holder, over: Holder | None) -> bool:
        if holder.owner == self._owner or holder.until <= self._clock():
            return True
        return over is not None and holder.owner == over.owner

    def _write(self, found: ObjectInfo | None) -> bool:
        """Write that we hold it: where nothing is, or over what was found."""
        until = self._clock() + self._seconds
        data = add_checksum(
            msgspec.json.encode(Holder(self._owner, until, self._label, self._seconds))
        )
        if found is None:
            written = self._backend.claim(self._path, (data,), _MEDIA_TYPE)
        else:
            written = self._backend.update(found, data, _MEDIA_TYPE)
        if written is None:
            return False
        self._ours, self._until = written, until
        return True


def _decode(data: memoryview) -> Holder | None:
    """Give the holder that a lease names; None for spoilt bytes, which hold nothing."""
    try:
        verify_checksum(bytes(data))
        return msgspec.json.decode(data, type=Holder)
    except (CorruptBlob, msgspec.DecodeError, UnicodeDecodeError):
        return None
