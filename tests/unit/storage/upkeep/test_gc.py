"""Garbage collection in a store in memory; time passes by its clock."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.unit.storage.memory import memory_store
from voxk8s.constants import LEASES_PREFIX, PINS_PREFIX, QUARANTINE_PREFIX
from voxk8s.storage import Limits, ResultStore
from voxk8s.storage.layout import record_path

DAY = 86_400.0
KEYS = [f"{number:064x}" for number in range(3)]
LARGE = np.random.default_rng(0).random(9000)


@pytest.fixture
def store() -> ResultStore:
    """Return an empty store, three days from now."""
    return memory_store(lambda: time.time() + 3 * DAY)


def test_results_stay_without_limits(store: ResultStore) -> None:
    """Blobs without a record are deleted."""
    store.put(KEYS[0], LARGE)
    orphan = store.put(KEYS[1], LARGE + 1)
    store.delete([KEYS[1]])
    done = store.collect(Limits())
    assert (done.results, done.blobs, done.bytes) == (0, 1, orphan.size)
    assert (done.results_left, done.blobs_left) == (1, 1)
    assert store.contains(KEYS) == {KEYS[0]}


def test_nothing_young_is_deleted(store: ResultStore) -> None:
    """The grace period protects results and blobs."""
    store.put(KEYS[0], LARGE)
    store.put(KEYS[1], LARGE + 1)
    store.delete([KEYS[1]])
    done = store.collect(Limits(older_than=0, max_bytes=0, grace=4 * DAY))
    assert (done.results, done.blobs) == (0, 0)


def test_old_results_are_deleted_with_their_blobs(store: ResultStore) -> None:
    """The figures of a dry run are those of the collection after it."""
    store.put(KEYS[0], LARGE)
    store.put(KEYS[1], 1)
    planned = store.collect(Limits(older_than=2 * DAY), dry_run=True)
    assert store.contains(KEYS) == set(KEYS[:2])
    assert store.collect(Limits(older_than=2 * DAY)) == planned
    assert (planned.results, planned.blobs, planned.bytes_left) == (2, 1, 0)
    assert list(store._backend.list("")) == []


def test_old_quarantine_and_leases_are_deleted(store: ResultStore) -> None:
    """Pins and the files of runs are kept, without limits for them."""
    for path in (f"{QUARANTINE_PREFIX}/x", f"{LEASES_PREFIX}/x", f"{PINS_PREFIX}/x", "runs/x"):
        store._backend.write(path, (b"content",), "text/plain")
    done = store.collect(Limits())
    assert done.other == 2
    assert {found.path for found in store._backend.list("")} == {f"{PINS_PREFIX}/x", "runs/x"}


def test_a_result_that_is_used_meanwhile_is_kept(store: ResultStore) -> None:
    """Between the choice and the deletion a record was refreshed."""
    store.put(KEYS[0], 1)
    store.put(KEYS[1], 2)
    path = record_path(KEYS[0])

    def use(what: str, _: int) -> None:
        if what == "records":
            data = store._backend.get(path)
            assert data is not None
            store._backend.write(path, (data,), "application/json")

    done = store.collect(Limits(older_than=2 * DAY), tell=use)
    assert (done.results, done.results_left) == (1, 1)
    assert store._backend.head(path) is not None
