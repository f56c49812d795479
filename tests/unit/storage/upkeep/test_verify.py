"""Verification of a store in memory."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.storage.memory import memory_store
from voxk8s.constants import COSTS_PATH
from voxk8s.storage import ResultStore
from voxk8s.storage.kernel_costs import Cost, KernelCosts
from voxk8s.storage.layout import blob_path, record_path

KEYS = [f"{number:064x}" for number in range(3)]
LARGE = np.random.default_rng(0).random(9000)


@pytest.fixture
def store() -> ResultStore:
    """Return an empty store."""
    return memory_store()


def test_an_empty_store_is_sound(store: ResultStore) -> None:
    """Nothing is counted."""
    found = store.verify()
    assert found.sound
    assert (found.records, found.blobs, found.orphans) == (0, 0, 0)


def test_results_and_blobs_are_counted(store: ResultStore) -> None:
    """A blob that two results share is counted once; progress is reported for both kinds."""
    for key in KEYS[:2]:
        put = store.put(key, LARGE)
    store.put(KEYS[2], 1)
    reports: list[tuple[str, int]] = []
    found = store.verify(lambda what, count: reports.append((what, count)))
    assert found.sound
    assert (found.records, found.blobs, found.orphans) == (3, 1, 0)
    assert found.blob_bytes == put.size
    assert reports == [("blobs", 1), ("records", 3)]


def test_a_corrupt_blob_leaves_its_result_dangling(store: ResultStore) -> None:
    """The blob is moved to quarantine."""
    path = blob_path(store.put(KEYS[0], LARGE).digest)
    store._backend.write(path, (b"other",), "text/plain")
    found = store.verify()
    assert not found.sound
    assert (found.corrupt, found.dangling) == ((path,), (KEYS[0],))
    assert store.stats().quarantined == 1


def test_a_corrupt_record_is_found(store: ResultStore) -> None:
    """Its blob is an orphan then."""
    put = store.put(KEYS[0], LARGE)
    path = record_path(KEYS[0])
    store._backend.write(path, (b"{}",), "application/json")
    found = store.verify()
    assert (found.corrupt, found.dangling) == ((path,), ())
    assert (found.orphans, found.orphan_bytes) == (1, put.size)


def test_orphans_are_not_a_fault(store: ResultStore) -> None:
    """Garbage collection deletes them."""
    put = store.put(KEYS[0], LARGE)
    store.delete([KEYS[0]])
    found = store.verify()
    assert found.sound
    assert (found.orphans, found.orphan_bytes) == (1, put.size)


def test_a_missing_blob_leaves_its_result_dangling(store: ResultStore) -> None:
    """Nothing is corrupt."""
    store._backend.delete(blob_path(store.put(KEYS[0], LARGE).digest))
    found = store.verify()
    assert (found.corrupt_count, found.dangling) == (0, (KEYS[0],))


def test_other_objects_are_ignored(store: ResultStore) -> None:
    """Objects whose names are not digests are not blobs."""
    store._backend.write("cas/sha256/readme", (b"text",), "text/plain")
    assert store.verify().sound


def test_recorded_costs_are_verified(store: ResultStore) -> None:
    """Damaged ones are moved to quarantine; nothing is wrong after that."""
    store.costs.add(KernelCosts({"lab.work": {0: Cost(1, 2.0)}}))
    found = store.verify()
    assert (found.sound, found.costs) == (True, 1)
    store._backend.write(COSTS_PATH, (b"{}",), "application/json")
    assert store.verify().corrupt == (COSTS_PATH,)
    assert store.stats().quarantined == 1
    found = store.verify()
    assert (found.sound, found.costs) == (True, 0)


def test_costs_of_other_versions_are_not_judged(store: ResultStore) -> None:
    """A later version may have another form."""
    store._backend.write("costs/v9/kernels", (b"?",), "application/json")
    found = store.verify()
    assert (found.sound, found.costs) == (True, 1)
