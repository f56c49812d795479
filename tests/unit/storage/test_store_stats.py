"""What a store holds."""

from __future__ import annotations

from pathlib import Path

from tests.unit.storage.memory import memory_backend
from voxk8s.storage.counters import Counts
from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.store_options import Location, StoreOptions
from voxk8s.storage.store_stats import store_stats


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
        "costs/v1/kernels": 11,
        "probe/v1": 10,
    }
    for path, size in sizes.items():
        backend.write(path, (bytes(size),), "text/plain")
    stats = store_stats(backend, Counts(hits=1))
    assert (stats.records, stats.record_bytes) == (2, 7)
    assert (stats.blobs, stats.blob_bytes) == (1, 50)
    assert (stats.run_files, stats.run_bytes) == (1, 8)
    assert (stats.pins, stats.leases) == (1, 1)
    assert (stats.costs, stats.cost_bytes) == (1, 11)
    assert (stats.quarantined, stats.quarantined_bytes) == (1, 6)
    assert (stats.unfinished, stats.unfinished_bytes) == (0, 0)
    assert stats.counts == Counts(hits=1)
