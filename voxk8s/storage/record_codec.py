"""From a value to its record and bytes, and back."""

from __future__ import annotations

import logging

from voxk8s import constants
from voxk8s.describe import summary
from voxk8s.errors import CorruptBlob
from voxk8s.plan.model import ResultKey
from voxk8s.storage.miss import MISS, Miss
from voxk8s.storage.record import FORMAT, Provenance, Record, trim
from voxk8s.storage.value_codec import Encoded, decode, encode
from voxk8s.values import SavedFile, Value

_log = logging.getLogger(__name__)


def make_record(
    key: ResultKey, value: Value, provenance: Provenance | None
) -> tuple[Record, Encoded]:
    """Encode a value; small ones are in the record. Raises UnsupportedValue for what is none."""
    suffix = None
    media_type: str = constants.MEDIA_TYPE_VALUE
    if isinstance(value, SavedFile):
        encoded = Encoded((value.data,), len(value.data))
        suffix, media_type = value.suffix, value.media_type
    else:
        encoded = encode(value, compress_from=constants.INLINE_VALUE_BYTES)
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
        provenance=trim(provenance or Provenance()),
    )
    return record, encoded


def read_value(record: Record, data: memoryview) -> Value | Miss:
    """Decode the bytes of a record, which were verified; MISS when this version cannot."""
    if record.suffix is not None:
        return SavedFile(bytes(data), record.suffix, record.media_type)
    try:
        return decode(data)
    except CorruptBlob as error:
        # The bytes are what was written, by a program that is not this one: not ours to remove.
        _log.warning("the value of %s cannot be decoded: %s", record.key, error)
        return MISS
