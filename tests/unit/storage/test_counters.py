"""Counts of events, and of what a store holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.storage.memory import memory_backend
from voxk8s.storage.counters import Counters, Counts, store_stats
from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.store_options import Location, StoreOptions


def test_events_are_counted_by_name() -> None:
    """A snapshot does not change when more are counted."""
    counters = Counters()
    counters.add("hits")
    counters.add("hits")
    before = counters.snapshot()
    counters.add("misses")
    assert before == Counts(hits=2)
    assert counters.snapshot() == Counts(hits=2, misses=1)


def test_unknown_events_are_errors() -> None:
    """Only the fields of `Counts` are counted."""
    with pytest.raises(AttributeError):
        Counters().add("hit")


def test_no_event_of_any_thread_is_lost() -> None:
    """Threads may add at the same time."""
    counters = Counters()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: counters.add("created"), range(2000)))
    assert counters.snapshot().created == 2000


def test_unfinished_files_of_folders_are_counted(tmp_path: Path) -> None:
    """They take space, and are no objects."""
    backend = FolderBackend(Location("file", str(tmp_path)), StoreOptions())
    backend.write("cas/sha256/bb/1", (b"12",), "text/plain")
    (tmp_path / "cas/sha256/bb/1#7").write_bytes(b"123")
    stats = store_stats(backend, Counts())
    assert (stats.blobs, stats.unfinished, stats.unfinished_bytes) == (1, 1, 3)


def test_objects_are_counted_by_kind() -> None:
    """With their bytes."""
    backend = memory_backend()
    sizes = {
        "ac/v1/aa/1": 3,
        "ac/v1/aa/2": 4,
        "cas/sha256/bb/1": 50,
        "quarantine/x": 6,
        "pins/v1/p": 7,
        "runs/ns/a/1/x": 8,
        "lease/v1/l": 9,
        "probe/v1": 10,
    }
    for path, size in sizes.items():
        backend.write(path, (bytes(size),), "text/plain")
    stats = store_stats(backend, Counts(hits=1))
    assert (stats.records, stats.record_bytes) == (2, 7)
    assert (stats.blobs, stats.blob_bytes) == (1, 50)
    assert (stats.run_files, stats.run_bytes) == (1, 8)
    assert (stats.pins, stats.leases) == (1, 1)
    assert (stats.quarantined, stats.quarantined_bytes) == (1, 6)
    assert (stats.unfinished, stats.unfinished_bytes) == (0, 0)
    assert stats.counts == Counts(hits=1)
