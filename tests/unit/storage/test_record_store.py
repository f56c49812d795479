"""Records by result key."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.unit.storage.memory import memory_backend, quarantine_of
from voxk8s.plan import ResultKey
from voxk8s.storage import record_store
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.backend import Backend
from voxk8s.storage.blob_store import BlobStore
from voxk8s.storage.layout import blob_path, record_path
from voxk8s.storage.record import Provenance, Record, encode_record, make_record
from voxk8s.storage.record_store import RecordStore
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.values import Value

KEYS = [ResultKey(f"{number:064x}") for number in range(4)]
LARGE = np.random.default_rng(0).random(9000)


@pytest.fixture
def backend() -> Backend:
    """Return an empty back end."""
    return memory_backend()


@pytest.fixture
def records(backend: Backend) -> RecordStore:
    """Return the records of the back end."""
    return _records(backend)


def _records(backend: Backend) -> RecordStore:
    quarantine, _ = quarantine_of(backend)
    blobs = BlobStore(backend, quarantine)
    access = AccessRefresh(backend, lambda: 0.0)
    return RecordStore(backend, quarantine, blobs, ThreadPool(2), access)


def write(backend: Backend, key: ResultKey, value: Value) -> Record:
    """Write the record of a value, and its blob if it has one."""
    record, encoded = make_record(key, value, None)
    backend.write(record_path(key), (encode_record(record),), "application/json")
    if record.inline is None:
        backend.write(blob_path(record.digest), encoded.parts, "application/octet-stream")
    return record


def test_records_are_read_by_key(backend: Backend, records: RecordStore) -> None:
    """Keys without a record are left out."""
    expected = {key: write(backend, key, number) for number, key in enumerate(KEYS[:3])}
    assert records.read(KEYS[0]) == expected[KEYS[0]]
    assert records.read(KEYS[3]) is None
    assert records.read(KEYS[1], refresh=False) == expected[KEYS[1]]
    assert records.read_many(KEYS) == expected


def test_corrupt_records_are_missing(backend: Backend, records: RecordStore) -> None:
    """They are moved to quarantine, and so is a record of another key."""
    write(backend, KEYS[0], 1)
    data = bytes(backend.get(record_path(KEYS[0])) or b"")
    backend.write(record_path(KEYS[1]), (data,), "application/json")
    backend.write(record_path(KEYS[2]), (data[:-1],), "application/json")
    assert set(records.read_many(KEYS)) == {KEYS[0]}
    assert len(list(backend.list("quarantine"))) == 2


def test_complete_results_have_their_blob(backend: Backend, records: RecordStore) -> None:
    """A record without its blob, or with one of another size, is not complete."""
    write(backend, KEYS[0], 1)
    write(backend, KEYS[1], LARGE)
    missing, cut = write(backend, KEYS[2], LARGE + 1), write(backend, KEYS[3], LARGE + 2)
    backend.delete(blob_path(missing.digest))
    backend.write(blob_path(cut.digest), (b"cut",), "application/octet-stream")
    assert records.complete(iter(KEYS)) == {KEYS[0], KEYS[1]}


def test_complete_results_are_cached(backend: Backend, records: RecordStore) -> None:
    """They are not looked up again, until they are removed from the cache."""
    write(backend, KEYS[0], 1)
    assert records.complete([KEYS[0]]) == {KEYS[0]}
    backend.delete(record_path(KEYS[0]))
    assert records.complete([KEYS[0]]) == {KEYS[0]}
    records.uncache(KEYS[0])
    assert records.complete([KEYS[0]]) == set()


def test_missing_results_are_not_cached(backend: Backend, records: RecordStore) -> None:
    """They may be stored at any time."""
    assert records.complete([KEYS[0]]) == set()
    write(backend, KEYS[0], 1)
    assert records.complete([KEYS[0]]) == {KEYS[0]}


def test_a_deleted_record_is_not_complete(backend: Backend, records: RecordStore) -> None:
    """Although it was cached; its blob stays."""
    record = write(backend, KEYS[0], LARGE)
    assert records.complete([KEYS[0]])
    records.delete(KEYS[0])
    assert records.complete([KEYS[0]]) == set()
    assert backend.head(blob_path(record.digest)) is not None


def test_cached_results_tell_their_blob(backend: Backend, records: RecordStore) -> None:
    """Inline results have none."""
    record, inline = write(backend, KEYS[0], LARGE), write(backend, KEYS[1], 1)
    assert records.cached_blob(KEYS[0]) is None
    records.cache(record)
    records.cache(inline)
    assert records.cached_blob(KEYS[0]) == (record.digest, record.size)
    assert records.cached_blob(KEYS[1]) is None


def test_records_that_were_looked_up_are_not_read_again(
    backend: Backend, records: RecordStore
) -> None:
    """Until they are removed from the cache; the others are read."""
    expected = {key: write(backend, key, number) for number, key in enumerate(KEYS[:3])}
    assert records.complete(KEYS[:2]) == set(KEYS[:2])
    for key in KEYS[:2]:
        backend.delete(record_path(key))
    assert (records.recent(KEYS, 0.0) | records.read_many(KEYS[2:])) == expected
    records.uncache(KEYS[0])
    assert set(records.recent(KEYS, 0.0)) == {KEYS[1]}


def test_remembered_records_are_bounded_in_bytes(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those with much in them, fewer are remembered: those that were looked up last."""
    monkeypatch.setattr(record_store, "_MAX_RECORD_BYTES", 20_000)
    records = _records(backend)
    value = np.random.default_rng(1).bytes(7500).hex()[:7500]
    for key in KEYS:
        assert write(backend, key, value).inline is not None
        assert records.complete([key]) == {key}
    assert set(records.recent(KEYS, 0.0)) == set(KEYS[2:])


def test_remembered_records_are_bounded_in_names(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code of many kernels below a result takes memory too."""
    monkeypatch.setattr(record_store, "_MAX_RECORD_BYTES", 20_000)
    records = _records(backend)
    made = Provenance("lab.f", 1, ancestor_codes=tuple(f"lab.f{n}={n:012x}" for n in range(60)))
    for key in KEYS:
        record, _ = make_record(key, 1, made)
        records.cache(record)
    assert set(records.recent(KEYS, 0.0)) == set(KEYS[2:])


def test_a_record_that_was_looked_up_before_is_read_again(
    backend: Backend, records: RecordStore
) -> None:
    """It may be gone since then."""
    write(backend, KEYS[0], 1)
    assert records.complete(KEYS[:1]) == {KEYS[0]}
    backend.delete(record_path(KEYS[0]))
    assert records.recent(KEYS[:1], math.inf) == {}
