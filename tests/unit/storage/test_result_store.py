"""Tests of the result store as a whole: nothing wrong is ever handed out."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.storage.memory import memory_store
from voxk8s.storage import MISS
from voxk8s.storage.layout import blob_path, record_path
from voxk8s.storage.result_store import ResultStore

MIXED = {"noise": np.frombuffer(np.random.default_rng(3).bytes(9_000), "uint8"), "n": 1}
ZEROS = np.zeros(100_000, "uint8")
VALUES = {"mixed": MIXED, "zeros": np.r_[ZEROS, MIXED["noise"]], "inline": "x" * 300}


def key(name: str) -> str:
    """Return a result key for a word."""
    return hashlib.sha256(name.encode()).hexdigest()


def filled() -> tuple[ResultStore, dict[str, bytes]]:
    """Return a store with the values above, and all its objects."""
    store = memory_store()  # a new one: its ETags count all that was ever written
    backend = store._backend
    paths = []
    for name, value in VALUES.items():
        put = store.put(key(name), value)
        paths += [record_path(key(name)), blob_path(put.digest)]
    objects = {path: bytes(data) for path in paths if (data := backend.get(path)) is not None}
    return store, objects


@given(st.data())
def test_any_damage_is_a_miss_that_is_set_aside(data: st.DataObject) -> None:
    """Any byte of any object changed, or any part cut off: a miss, quarantined, and mendable."""
    store, objects = filled()
    path = data.draw(st.sampled_from(sorted(objects)))
    whole = objects[path]
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        damaged = whole[:at]
    else:
        damaged = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    store._backend.write(path, (damaged,), "application/octet-stream")
    missing = [name for name in VALUES if store.get(key(name)) is MISS]
    assert len(missing) == 1
    assert store.stats().quarantined == 1
    store.put(key(missing[0]), VALUES[missing[0]])
    assert not any(store.get(key(name)) is MISS for name in VALUES)
