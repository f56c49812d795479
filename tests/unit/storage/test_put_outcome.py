"""What a put is when its key has a record already."""

from __future__ import annotations

from msgspec.structs import replace

from voxk8s.plan import ResultKey
from voxk8s.storage import PutStatus
from voxk8s.storage.put_outcome import compare
from voxk8s.storage.record import Record, make_record
from voxk8s.values import Value

KEY = ResultKey("a" * 64)


def outcome(existing: Value, new: Value, *, missing: bool = False) -> tuple[PutStatus, int]:
    """Return the status, and the number of repairs, of a put over an existing value."""
    held, held_bytes = make_record(KEY, existing, None)
    record, encoded = make_record(KEY, new, None)
    repairs: list[None] = []

    def bytes_of(_: Record) -> memoryview | None:
        return None if missing else memoryview(held_bytes.join())

    return compare(held, record, encoded, bytes_of, lambda: repairs.append(None)), len(repairs)


def test_equal_values_exist() -> None:
    """Nothing is repaired."""
    assert outcome("a", "a") == (PutStatus.EXISTS, 0)


def test_other_values_are_nondeterministic() -> None:
    """The key has another value."""
    assert outcome("a", "b") == (PutStatus.NONDETERMINISTIC, 0)


def test_records_without_their_bytes_are_repaired() -> None:
    """The new value takes the place of one that cannot be read."""
    assert outcome("a", "b", missing=True) == (PutStatus.CREATED, 1)


def test_records_of_another_format_are_replaced() -> None:
    """A record that this version does not understand counts as none."""
    record, encoded = make_record(KEY, 1, None)
    other = replace(record, format=99)
    status = compare(other, record, encoded, lambda _: None, lambda: None)
    assert status is PutStatus.CREATED
