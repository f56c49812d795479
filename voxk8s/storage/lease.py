"""Leases: who computes an expensive result right now, so that others may wait instead.

A lease is a small object with its owner and the time until which it is held. It is made only if
there is none, and renewed or taken over (when its time is up) only if it is as it was read, by its
ETag. Correctness never depends on a lease: who ignores one, or loses one, computes what somebody
else computes too, and the store keeps the first of two equal results. Clocks that disagree make a
lease end early or late, no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from voxk8s.errors import CorruptBlob, InvalidUsage
from voxk8s.storage.backend import Backend
from voxk8s.storage.layout import lease_path
from voxk8s.storage.sealed import check_seal, seal

_TRIES: Final = 4
_MEDIA_TYPE: Final = "application/json"


class Holder(msgspec.Struct, frozen=True):
    """Who has a lease: `owner` is unique, `label` is for people, `until` seconds since 1970."""

    owner: str
    until: float
    label: str = ""


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

    def acquire(self) -> Holder | None:
        """Take the lease if it is free, has run out, or is ours already; else tell who has it.

        None means that it is ours. Raises UnsupportedUpdate where the store has no leases, and
        StoreUnreachable or StoreAccessDenied.
        """
        holder = None
        for _ in range(_TRIES):
            if self._backend.create(self._path, (self._document(),), _MEDIA_TYPE):
                return None
            answer = self._backend.read(self._path)
            if answer is None:
                continue
            data, found = answer
            holder = _decode(data)
            if holder is not None and holder.owner != self._owner and holder.until > self._clock():
                return holder
            if self._backend.update(found, self._document(), _MEDIA_TYPE):
                return None
        # Others are quicker each time: whoever was seen last has it, or somebody like that.
        return holder or Holder("", self._clock() + self._seconds)

    def renew(self) -> bool:
        """Hold the lease for `seconds` from now; False when somebody else has taken it over."""
        answer = self._backend.read(self._path)
        if answer is None:
            return self._backend.create(self._path, (self._document(),), _MEDIA_TYPE)
        data, found = answer
        holder = _decode(data)
        if holder is None or holder.owner != self._owner:
            return False
        return self._backend.update(found, self._document(), _MEDIA_TYPE)

    def release(self) -> None:
        """Give the lease back, if it is still ours."""
        data = self._backend.get(self._path)
        holder = None if data is None else _decode(data)
        if holder is not None and holder.owner == self._owner:
            self._backend.delete(self._path)

    def _document(self) -> bytes:
        holder = Holder(self._owner, self._clock() + self._seconds, self._label)
        return seal(msgspec.json.encode(holder))


def _decode(data: memoryview) -> Holder | None:
    """Give the holder that a lease names; None for spoilt bytes, which hold nothing."""
    try:
        check_seal(bytes(data))
        return msgspec.json.decode(data, type=Holder)
    except (CorruptBlob, msgspec.DecodeError, UnicodeDecodeError):
        return None
