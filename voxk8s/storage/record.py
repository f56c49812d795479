"""Records: what the store knows about one result, as checksummed JSON under its result key."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from hashlib import sha256

import msgspec

from voxk8s import constants
from voxk8s.describe import summary
from voxk8s.errors import CorruptBlob
from voxk8s.plan.model import Digest, ResultKey
from voxk8s.storage.checksummed_json import add_checksum, verify_checksum
from voxk8s.storage.layout import is_name
from voxk8s.storage.miss import MISS, Miss
from voxk8s.storage.value_codec import Encoded, decode, encode
from voxk8s.values import SavedFile, Value

FORMAT = 1
_MAX_ARGUMENTS = 64

_log = logging.getLogger(__name__)


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a result comes from; for people, reports and costs, never for identity.

    `version` is the number that the kernel's author gives, `code` the digest of the code of a
    kernel that is not part of voxk8s. `libraries` are the versions of Python and of the libraries
    that took part, by distribution. `ancestors` are the kernels of all operations below, each with
    its version (see `KernelVersion.of`), and `ancestor_codes` is the code of those of users that
    have a version, by `short_code`. `arguments` are the result keys of the arguments (at most
    64 are kept, `argument_count` is their number), `seconds` the time of computing, `bytes` the
    size of the value in memory, `created` seconds since 1970. `not_finite` is what the value of a
    goal, or of the image in a file, has in it: `NaN` or `an infinity`.
    """

    kernel: str = ""
    version: int = 0
    arguments: tuple[ResultKey, ...] = ()
    argument_count: int = 0
    seconds: float = 0.0
    bytes: int = 0
    created: float = 0.0
    voxk8s_version: str = ""
    code: str = ""
    ancestors: tuple[str, ...] = ()
    ancestor_codes: tuple[str, ...] = ()
    libraries: Mapping[str, str] = {}
    not_finite: str = ""

    def codes(self) -> Iterator[tuple[str, str]]:
        """Return kernels of users, each with what `short_code` gives for the code that was used.

        A kernel may have several: results of earlier code may have been read from the store.
        """
        if self.code:
            yield self.kernel, short_code(self.code)
        for text in self.ancestor_codes:
            kernel, _, code = text.partition("=")
            yield kernel, code


def short_code(digest: str) -> str:
    """Return as much of the digest of a kernel's code as tells one state of it from another."""
    return digest[:12]


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which bytes are the value of a result key, and where they are.

    `digest` and `size` are of the bytes, which are in `inline` or in the blob of that digest.
    `suffix` is set for a saved file, whose bytes are the file; otherwise they are an encoded value
    (see `value_codec`). `summary` describes a value that is too large to be shown. `tag` is what
    the store called the state of the blob when it was written (an ETag), if its bytes were known
    then. `root` is never written: the URL of another trust domain in which the record was found.
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
    tag: str = ""
    root: str = ""

    @property
    def is_file(self) -> bool:
        """Whether the bytes are a saved file, raw."""
        return self.suffix is not None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Record)


def encode_record(record: Record) -> bytes:
    """Return a record as checksummed JSON."""
    return add_checksum(_ENCODER.encode(msgspec.structs.replace(record, root="")))


def decode_record(data: bytes, key: str) -> Record:
    """Return the record of `key`; raises CorruptBlob for damaged bytes or another key's record."""
    verify_checksum(data)
    try:
        record = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"the record of {key} cannot be read: {error}") from error
    if record.key != key:
        raise CorruptBlob(f"expected the record of {key}, found that of {record.key}")
    # They become paths and rows of tables.
    if not is_name(record.digest) or not all(map(is_name, record.provenance.arguments)):
        raise CorruptBlob(f"the record of {key} has names that are not 64 hexadecimal digits")
    if record.root:
        record = msgspec.structs.replace(record, root="")
    if record.size < 0:
        raise CorruptBlob(f"the record of {key} says that its value has {record.size} bytes")
    inline = record.inline
    if inline is not None and (
        len(inline) != record.size or sha256(inline).hexdigest() != record.digest
    ):
        raise CorruptBlob(f"the record of {key} has other bytes than it says")
    return record


def encode_result(value: Value) -> Encoded:
    """Encode a result: a saved file is its bytes. Raises UnsupportedValue for other objects."""
    if isinstance(value, SavedFile):
        return Encoded((value.data,))
    return encode(value, compress_from=constants.INLINE_VALUE_BYTES)


def make_record(
    key: ResultKey,
    value: Value,
    provenance: Provenance | None,
    encoded: Encoded | None = None,
) -> tuple[Record, Encoded]:
    """Return the record of a value, and the value encoded, unless it is given; small ones inline.

    Raises UnsupportedValue for other objects.
    """
    encoded = encoded or encode_result(value)
    suffix = None
    media_type: str = constants.MEDIA_TYPE_VALUE
    if isinstance(value, SavedFile):
        suffix, media_type = value.suffix, value.media_type
    small = suffix is None and encoded.size <= constants.INLINE_VALUE_BYTES
    record = Record(
        format=FORMAT,
        key=key,
        digest=encoded.digest(),
        size=encoded.size,
        media_type=media_type,
        inline=encoded.join() if small else None,
        suffix=suffix,
        summary=summary(value),
        provenance=_bounded(provenance or Provenance()),
    )
    return record, encoded


def read_value(record: Record, data: memoryview) -> Value | Miss:
    """Decode the verified bytes of a record; MISS if this version cannot."""
    if record.suffix is not None:
        return SavedFile(bytes(data), record.suffix, record.media_type)
    try:
        return decode(data)
    except CorruptBlob as error:
        # The bytes match their digest: another version wrote them, so they are not quarantined.
        _log.warning("the value of %s cannot be decoded: %s", record.key, error)
        return MISS


def _bounded(provenance: Provenance) -> Provenance:
    """Return a provenance of bounded size that keeps the number of its arguments."""
    return msgspec.structs.replace(
        provenance,
        arguments=provenance.arguments[:_MAX_ARGUMENTS],
        argument_count=max(len(provenance.arguments), provenance.argument_count),
    )
