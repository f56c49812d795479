"""What a put found: whether a key's record holds the value that was put."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from voxk8s.errors import CorruptBlob
from voxk8s.plan.model import Digest
from voxk8s.storage.record import FORMAT, Record
from voxk8s.storage.value_codec import Encoded, payload_digest


class PutStatus(StrEnum):
    """What a put found."""

    CREATED = "created"
    """The result is new."""
    EXISTS = "exists"
    """The store has this value already."""
    NONDETERMINISTIC = "nondeterministic"
    """The store had another value under this key."""


@dataclass(frozen=True, slots=True)
class PutResult:
    """The outcome of a put; digest and size are of the bytes that the key has now."""

    status: PutStatus
    digest: Digest
    size: int


def compare(
    existing: Record,
    record: Record,
    encoded: Encoded,
    bytes_of: Callable[[Record], memoryview | None],
    heal: Callable[[], None],
) -> PutStatus:
    """Say what a put is when the key has a record; CREATED, after `heal`, when that is no use."""
    if existing.format != FORMAT:
        return PutStatus.CREATED
    if existing.digest == record.digest and existing.suffix == record.suffix:
        # The blob was put again before; an inline value is in a record that is sealed.
        return PutStatus.EXISTS
    data = bytes_of(existing)
    if data is None:
        heal()
        return PutStatus.CREATED
    if existing.is_file or record.is_file:
        return PutStatus.NONDETERMINISTIC
    try:
        # Two versions of the compressor may write one value differently.
        same = payload_digest(data) == payload_digest(encoded.join())
    except CorruptBlob:
        heal()
        return PutStatus.CREATED
    return PutStatus.EXISTS if same else PutStatus.NONDETERMINISTIC
