"""Records: what the store knows about one result."""

from __future__ import annotations

import numpy as np
import pytest

from voxk8s.errors import CorruptBlob
from voxk8s.plan import ResultKey
from voxk8s.storage import MISS, Provenance
from voxk8s.storage.record import decode_record, encode_record, make_record, read_value
from voxk8s.values import SavedFile

KEY = ResultKey("a" * 64)


def test_small_values_are_inline() -> None:
    """The record of a number contains it; that of a large array does not."""
    small, encoded = make_record(KEY, 5.0, None)
    assert small.inline == encoded.join()
    large, _ = make_record(KEY, np.zeros(100_000) + np.arange(100_000), None)
    assert large.inline is None
    assert large.summary is not None


def test_saved_files_are_stored_raw() -> None:
    """The bytes of a record with a suffix are the file."""
    file = SavedFile(b"text", ".txt", "text/plain")
    record, encoded = make_record(KEY, file, None)
    assert record.is_file
    assert encoded.join() == b"text"
    assert read_value(record, memoryview(b"text")) == file


def test_records_are_read_as_they_were_written() -> None:
    """Only under their own key, and only undamaged."""
    record, _ = make_record(KEY, "text", Provenance(kernel="k"))
    data = encode_record(record)
    assert decode_record(data, KEY) == record
    with pytest.raises(CorruptBlob, match=r"expected the record of b+"):
        decode_record(data, "b" * 64)
    with pytest.raises(CorruptBlob, match="checksum"):
        decode_record(data.replace(b'"k"', b'"l"'), KEY)


def test_provenance_is_bounded() -> None:
    """Of many arguments 64 keys are kept, and their number."""
    keys = tuple(ResultKey(f"{number:064x}") for number in range(100))
    record, _ = make_record(KEY, 1, Provenance(arguments=keys))
    assert record.provenance.arguments == keys[:64]
    assert record.provenance.argument_count == 100


def test_records_tell_the_code_of_kernels_of_users() -> None:
    """Their own, and those below; earlier releases wrote the former only."""
    made = Provenance("lab.f", 1, code="ab" * 32, ancestor_codes=("lab.g=0123", "lab.g=4567"))
    assert list(made.codes()) == [("lab.f", "ab" * 6), ("lab.g", "0123"), ("lab.g", "4567")]
    assert list(Provenance("vox1.near", 1, ancestors=("lab.g@1",)).codes()) == []


def test_values_of_another_version_are_a_miss() -> None:
    """Bytes that this version cannot decode are not an error."""
    record, _ = make_record(KEY, 1, None)
    assert read_value(record, memoryview(b"another encoding")) is MISS
