"""Bytes that are read in order, once: from memory, or from an object of a store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from voxk8s.errors import CorruptBlob

_DRAIN = 1 << 20


class ByteSource(Protocol):
    """Where bytes come from."""

    def read_into(self, target: memoryview) -> int:
        """Fill `target` and return its length, or less at the end."""

    def close(self) -> None:
        """Release what it holds."""


class MemorySource:
    """Bytes in memory."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def read_into(self, target: memoryview) -> int:
        """Copy the next bytes."""
        piece = self._data[: len(target)]
        target[: len(piece)] = piece
        self._data = self._data[len(piece) :]
        return len(piece)

    def close(self) -> None:
        """Release nothing."""


class PieceSource:
    """Bytes that come in pieces; an empty or missing piece is the end."""

    def __init__(self, next_piece: Callable[[], memoryview | None]) -> None:
        self._next = next_piece
        self._piece = memoryview(b"")
        self._ended = False

    def read_into(self, target: memoryview) -> int:
        """Copy the next bytes, from as many pieces as it takes."""
        filled = 0
        while filled < len(target) and not self._ended:
            if not len(self._piece):
                self._piece = self._next() or memoryview(b"")
                self._ended = not len(self._piece)
            part = self._piece[: len(target) - filled]
            target[filled : filled + len(part)] = part
            self._piece = self._piece[len(part) :]
            filled += len(part)
        return filled

    def close(self) -> None:
        """Ask for no more pieces."""
        self._ended = True


class HashingReader:
    """Reads a source and hashes every byte of it."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._state = hashlib.sha256()
        self.size = 0
        """Bytes read so far."""

    def read_into(self, target: memoryview) -> None:
        """Fill `target`. Raises CorruptBlob at an early end."""
        if self._read(target) < len(target):
            raise CorruptBlob(f"the bytes end after {self.size}")

    def read(self, size: int) -> memoryview:
        """Return the next bytes. Raises CorruptBlob at an early end."""
        target = memoryview(bytearray(size))
        self.read_into(target)
        return target

    def finish(self) -> tuple[str, int]:
        """Read what is left; return SHA-256 and size of all bytes."""
        rest = memoryview(bytearray(_DRAIN))
        while self._read(rest):
            pass
        return self._state.hexdigest(), self.size

    def _read(self, target: memoryview) -> int:
        count = self._source.read_into(target)
        self._state.update(target[:count])
        self.size += count
        return count
