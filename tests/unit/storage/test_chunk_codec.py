"""Chunks of arrays, shuffled and compressed."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.errors import CorruptBlob
from voxk8s.storage.chunk_codec import (
    FRAME,
    RAW,
    SHUFFLED,
    ZSTD,
    Bytes,
    Frame,
    decode_chunk,
    encode_chunk,
)

NOISE = np.random.default_rng(0).integers(0, 256, 1 << 16, np.uint8)
SMOOTH = (1000 + np.arange(1 << 14)).astype("float32").view(np.uint8)


def parts(frame: Frame) -> tuple[int, bytes]:
    """Return method and body of a frame."""
    method, length = FRAME.unpack(frame.head)
    body = b"".join(frame.body)
    assert length == len(body)
    return method, body


def decoded(method: int, body: bytes, size: int, item_size: int) -> Bytes:
    """Decode a body into a new chunk."""
    chunk = np.empty(size, np.uint8)
    decode_chunk(method, memoryview(body), chunk, item_size)
    return chunk


@given(st.binary(min_size=1, max_size=300), st.sampled_from([1, 2, 3, 4, 8, 12, 16]))
def test_chunks_come_back(data: bytes, item_size: int) -> None:
    """Whatever the size of an item, equal chunks have equal frames and are decoded as they were."""
    chunk = np.frombuffer(data * item_size * 3, np.uint8)
    method, body = parts(encode_chunk(chunk, item_size))
    assert parts(encode_chunk(chunk.copy(), item_size)) == (method, body)
    assert np.array_equal(decoded(method, body, len(chunk), item_size), chunk)


def test_noise_is_not_copied() -> None:
    """Its frame has a view of it."""
    frame = encode_chunk(NOISE, 4)
    assert parts(frame)[0] == RAW
    assert np.shares_memory(np.frombuffer(frame.body[0], np.uint8), NOISE)


def test_numbers_are_smaller_when_they_are_shuffled() -> None:
    """Counting up in float32 has regular planes only."""
    method, body = parts(encode_chunk(SMOOTH, 4))
    plain_method, plain = parts(encode_chunk(SMOOTH, 1))
    assert (method, plain_method) == (SHUFFLED, ZSTD)
    assert len(body) < 0.5 * len(plain)


def test_planes_of_noise_are_not_compressed() -> None:
    """The other planes of the same chunk are."""
    chunk = SMOOTH.copy()
    chunk[::4] = NOISE[: len(chunk) // 4]
    method, body = parts(encode_chunk(chunk, 4))
    table = struct.unpack_from("<4I", body)
    assert [entry >> 31 for entry in table] == [1, 0, 0, 0]
    assert np.array_equal(decoded(method, body, len(chunk), 4), chunk)


COMPRESSED = zstandard.ZstdCompressor().compress(bytes(64))


@pytest.mark.parametrize(
    ("method", "body", "item_size"),
    [
        (RAW, bytes(63), 1),
        (ZSTD, b"no zstd", 1),
        (ZSTD, zstandard.ZstdCompressor().compress(bytes(1 << 20)), 1),
        (ZSTD, COMPRESSED + b"x", 1),
        (ZSTD, b"", 1),
        (SHUFFLED, COMPRESSED, 1),
        (SHUFFLED, bytes(7), 2),
        (SHUFFLED, struct.pack("<2I", 32 | 1 << 31, 32 | 1 << 31) + bytes(63), 2),
        (SHUFFLED, struct.pack("<2I", 32 | 1 << 31, 31 | 1 << 31) + bytes(63), 2),
        (SHUFFLED, struct.pack("<2I", 32 | 1 << 31, 32 | 1 << 31) + bytes(65), 2),
        (SHUFFLED, struct.pack("<2I", 32, 32) + bytes(64), 2),
        (3, bytes(64), 1),
    ],
)
def test_damaged_chunks_are_refused(method: int, body: bytes, item_size: int) -> None:
    """Bodies that are never written are CorruptBlob, and nothing large is allocated for them."""
    with pytest.raises(CorruptBlob):
        decoded(method, body, 64, item_size)
