"""Corrupt objects are moved, counted and never returned."""

from __future__ import annotations

from tests.unit.storage.memory import memory_backend, quarantine_of
from voxk8s.errors import CorruptBlob
from voxk8s.storage.backend import ObjectInfo


def check(data: memoryview) -> None:
    """Accept only b"good"."""
    if bytes(data) != b"good":
        raise CorruptBlob("not good")


def test_valid_objects_are_returned_and_reported() -> None:
    """`on_valid` is called with the object's metadata and bytes."""
    backend = memory_backend()
    backend.write("a", (b"good",), "text/plain")
    quarantine, counters = quarantine_of(backend)
    seen: list[tuple[str, bytes]] = []

    def on_valid(found: ObjectInfo, data: memoryview) -> None:
        seen.append((found.path, bytes(data)))

    data = quarantine.read("a", check, bulk=False, on_valid=on_valid)
    assert bytes(data or b"") == b"good"
    assert seen == [("a", b"good")]
    assert counters.snapshot().corrupt == 0


def test_corrupt_objects_are_moved_and_counted() -> None:
    """The bytes are kept below quarantine/, and the object is absent."""
    backend = memory_backend()
    backend.write("a", (b"bad",), "text/plain")
    quarantine, counters = quarantine_of(backend)
    assert quarantine.read("a", check, bulk=False) is None
    assert counters.snapshot().corrupt == 1
    assert backend.get("a") is None
    (moved,) = backend.list("quarantine")
    assert bytes(backend.get(moved.path) or b"") == b"bad"


def test_missing_objects_are_not_corrupt() -> None:
    """Nothing is counted for an object that does not exist."""
    quarantine, counters = quarantine_of(memory_backend())
    assert quarantine.read("a", check, bulk=False) is None
    assert counters.snapshot().corrupt == 0
