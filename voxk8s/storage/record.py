"""Records: what the store knows about one result, as sealed JSON under its result key."""

import msgspec

from voxk8s.errors import CorruptBlob
from voxk8s.plan.model import Digest, ResultKey
from voxk8s.storage.checksummed_json import add_checksum, verify_checksum

FORMAT = 1
_MOST_ARGUMENTS = 64


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a result comes from; for people, reports and costs, never for identity.

    `arguments` are the result keys of the operands (at most 64 are kept, `argument_count` has
    their number), `seconds` the time of computing, `bytes` the size of the value in memory,
    `created` seconds since 1970.
    """

    kernel: str = ""
    version: int = 0
    arguments: tuple[ResultKey, ...] = ()
    argument_count: int = 0
    seconds: float = 0.0
    bytes: int = 0
    created: float = 0.0
    voxk8s_version: str = ""


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which bytes are the value of a result key, and where they are.

    `digest` and `size` are of the bytes, which are in `inline` or in the blob of that digest.
    `suffix` is set for a saved file, whose bytes are the file; otherwise they are in the codec's
    form. `summary` describes a value that is too large to be shown.
    """

    format: int
    key: ResultKey
    digest: Digest
    size: int
    media_type: str
    inline: bytes | None = None
    suffix: str | None = None
    summary: str | None = None
    provenance: Provenance = Provenance()

    @property
    def is_file(self) -> bool:
        """Whether the bytes are a saved file, raw."""
        return self.suffix is not None


def trim(provenance: Provenance) -> Provenance:
    """Bound the size of a provenance, keeping the number of its arguments."""
    return msgspec.structs.replace(
        provenance,
        arguments=provenance.arguments[:_MOST_ARGUMENTS],
        argument_count=max(len(provenance.arguments), provenance.argument_count),
    )


def encode_record(record: Record) -> bytes:
    """Write a record as sealed JSON."""
    return add_checksum(_ENCODER.encode(record))


def decode_record(data: bytes, key: str) -> Record:
    """Read the record of `key`; raises CorruptBlob when it is not whole or of another key."""
    verify_checksum(data)
    try:
        record = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"the record of {key} cannot be read: {error}") from error
    if record.key != key:
        raise CorruptBlob(f"the record of {key} is one of {record.key}")
    return record


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Record)
