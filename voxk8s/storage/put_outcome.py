"""The outcome of a put: whether the record of a key has the value that was put."""

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
    on_repair: Callable[[], None],
) -> PutStatus:
    """Return the status of a put whose key has a record already.

    It is CREATED when the existing record is unusable: of another format, or, after a call of
    `on_repair`, without its bytes.
    """
    if existing.format != FORMAT:
        return PutStatus.CREATED
    same_bytes = (existing.digest, existing.size) == (record.digest, record.size)
    if same_bytes and existing.suffix == record.suffix:
        # This put wrote the blob again; an inline value is covered by the record's checksum.
        return PutStatus.EXISTS
    data = bytes_of(existing)
    if data is None:
        on_repair()
        return PutStatus.CREATED
    if existing.is_file or record.is_file:
        return PutStatus.NONDETERMINISTIC
    try:
        # Other versions of the compressor, and of this package, encode a value differently.
        same = payload_digest(data) == encoded.payload_digest()
    except CorruptBlob:
        on_repair()
        return PutStatus.CREATED
    return PutStatus.EXISTS if same else PutStatus.NONDETERMINISTIC
