"""The results of one domain."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.support.values import same
from tests.unit.storage.memory import memory_backend, memory_store
from voxk8s.storage import MISS
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.domain_reader import DomainReader
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.values import Value

KEY = "1" * 64


@pytest.mark.parametrize("value", [1, "x" * 9000, np.arange(1_000_000.0)])
@pytest.mark.parametrize("is_own", [True, False])
def test_values_are_read_and_remembered(value: Value, *, is_own: bool) -> None:
    """Inline, from a blob, and in a stream; records of others say where they are."""
    store = memory_store()
    store.put(KEY, value)
    backend = store._backend
    access = AccessRefresh(backend, time.time) if is_own else None
    reader = DomainReader(backend, ThreadPool(2), access)
    assert not reader.is_cached(KEY)
    assert same(reader.read(KEY), value)
    assert reader.is_cached(KEY)
    record = reader.records.read(KEY)
    assert record is not None
    assert record.root == ("" if is_own else store.url)
    assert reader.bytes_of(record) is not None
    store.delete([KEY])
    assert reader.read(KEY) is MISS
    assert not reader.is_cached(KEY)


def test_an_empty_domain_has_nothing() -> None:
    """Nothing is written to find that out."""
    backend = memory_backend()
    reader = DomainReader(backend, ThreadPool(2), None)
    assert reader.read(KEY) is MISS
    assert reader.pins.get("file:///a", 1, "v") is None
    assert not list(backend.list(""))
