"""Payloads in chunks: what is kept, what is encoded anew, and how damage is found."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tests.support.values import same
from voxk8s.errors import CorruptBlob
from voxk8s.storage.byte_source import HashingReader, MemorySource
from voxk8s.storage.chunked_payload import ChunkedParts, read_chunked
from voxk8s.storage.payload import write_payload
from voxk8s.values import Image, Value

RNG = np.random.default_rng(0)
SMOOTH = np.cumsum(RNG.normal(size=1_000_000)).astype("float32")
VALUE: Value = {
    "image": Image(
        np.rint(SMOOTH).reshape(100, 100, 100),
        (1.0,) * 3,
        (0.0,) * 3,
        (1.0, 0, 0, 0, 1, 0, 0, 0, 1),
    ),
    "mask": (SMOOTH > 3).astype("uint8"),
    "noise": np.frombuffer(RNG.bytes(3_000_001), "uint8"),
    "text": np.array(["a", "longer", ""] * 50_000),
    "empty": np.empty((0, 3)),
    "point": np.array(3.5),
    "dates": np.array(["2020-01-01", "NaT"] * 1000, dtype="datetime64[s]"),
    "reversed": np.arange(300_000, dtype=">i2")[::-1],
    "list": [float(i) for i in range(150_000)],
}


def encoded(value: Value) -> tuple[bytes, int, int]:
    """Return the chunks of a value, and the lengths of its tree and payload."""
    payload = write_payload(value)
    return b"".join(ChunkedParts(b"", payload)), len(payload.tree), payload.size


def decoded(data: bytes, tree_length: int, total: int) -> Value:
    """Decode chunks."""
    return read_chunked(HashingReader(MemorySource(memoryview(data))), tree_length, total)


def test_values_come_back() -> None:
    """Arrays of every kind, read-only; longer and shorter than a chunk."""
    found = decoded(*encoded(VALUE))
    assert same(found, VALUE)
    assert isinstance(found, dict)
    noise = found["noise"]
    assert isinstance(noise, np.ndarray)
    assert not noise.flags.writeable


def test_each_iteration_gives_the_same_bytes() -> None:
    """Whether chunks are kept or encoded anew."""
    payload = write_payload(VALUE)
    parts = ChunkedParts(b"head", payload)
    first = b"".join(parts.remembering())
    assert first.startswith(b"head")
    assert b"".join(parts) == first
    assert b"".join(ChunkedParts(b"head", write_payload(VALUE))) == first


@pytest.mark.parametrize("change", [-1, 1, 64])
def test_wrong_lengths_are_corrupt(change: int) -> None:
    """The lengths in the header are those of the value."""
    data, tree_length, total = encoded(VALUE)
    with pytest.raises(CorruptBlob):
        decoded(data, tree_length, total + change)
    with pytest.raises(CorruptBlob):
        decoded(data, tree_length + change, total)


def test_an_early_end_is_corrupt() -> None:
    """Anywhere."""
    data, tree_length, total = encoded(VALUE)
    for at in (0, 5, 1000, len(data) // 2, len(data) - 1):
        with pytest.raises(CorruptBlob):
            decoded(data[:at], tree_length, total)


def test_little_memory_is_used_beside_the_array() -> None:
    """To encode 96 MiB twice, and to decode them, takes less than 0.3 times as much beside."""
    array = np.cumsum(np.ones(24 << 20, "float32")) % 70_000
    array[::3] += np.float32(0.37)
    payload = write_payload(array)
    parts = ChunkedParts(b"", payload)
    tracemalloc.start()
    try:
        size = sum(map(len, parts.remembering()))
        assert size == sum(map(len, parts))
        assert tracemalloc.get_traced_memory()[1] < 0.3 * array.nbytes
        data = b"".join(ChunkedParts(b"", payload))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        found = decoded(data, len(payload.tree), payload.size)
        assert tracemalloc.get_traced_memory()[1] - before < 1.3 * array.nbytes
    finally:
        tracemalloc.stop()
    assert same(found, array)
