"""Bytes that are read in order."""

from __future__ import annotations

import hashlib

import pytest

from voxk8s.errors import CorruptBlob
from voxk8s.storage.byte_source import ByteSource, HashingReader, MemorySource, PieceSource

CONTENT = bytes(range(100))


def pieces() -> PieceSource:
    """Return the content in pieces of seven bytes."""
    parts = iter([memoryview(CONTENT[at : at + 7]) for at in range(0, 100, 7)])
    return PieceSource(lambda: next(parts, None))


@pytest.mark.parametrize("opener", [lambda: MemorySource(memoryview(CONTENT)), pieces])
def test_sources_fill_what_they_are_given(opener: object) -> None:
    """Whatever the pieces; less only at the end."""
    assert callable(opener)
    source: ByteSource = opener()
    target = memoryview(bytearray(60))
    assert source.read_into(target) == 60
    assert bytes(target) == CONTENT[:60]
    assert source.read_into(target) == 40
    assert bytes(target[:40]) == CONTENT[60:]
    assert source.read_into(target) == 0


def test_closed_sources_ask_for_nothing() -> None:
    """No piece is fetched any more."""
    source = pieces()
    source.close()
    assert source.read_into(memoryview(bytearray(5))) == 0


def test_every_byte_is_hashed() -> None:
    """Those that were read, and those that are left."""
    reader = HashingReader(pieces())
    assert bytes(reader.read(10)) == CONTENT[:10]
    assert reader.size == 10
    assert reader.finish() == (hashlib.sha256(CONTENT).hexdigest(), 100)


def test_early_ends_are_corrupt() -> None:
    """More is asked for than there is."""
    with pytest.raises(CorruptBlob, match="end after 100"):
        HashingReader(pieces()).read(101)
