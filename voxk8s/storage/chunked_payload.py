"""A payload as a sequence of compressed chunks: written and read in a stream, on several cores.

The tree comes first, then each array, in chunks of 1 MiB (see `chunk_codec`); there are no gaps.
Only a few chunks are in memory at once beside the arrays.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, TypeVar

import numpy as np

from voxk8s.errors import CorruptBlob
from voxk8s.read_only import read_only
from voxk8s.storage.byte_source import HashingReader
from voxk8s.storage.chunk_codec import CHUNK, FRAME, RAW, Bytes, Frame, decode_chunk, encode_chunk
from voxk8s.storage.payload import (
    Buffer,
    Payload,
    bytes_view,
    payload_size,
    read_tree,
)
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.values import Array, Value

T = TypeVar("T")

_CORES: Final = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4)
_AHEAD: Final = 2 * _CORES
_coders: Final = ThreadPool(_CORES)
_KEPT_AT_LEAST: Final = 16 * CHUNK
_KEPT_SHARE: Final = 8


class ChunkedParts:
    """The bytes of a payload in chunks. They are encoded anew each time they are iterated over.

    What `remembering` has yielded is kept as far as it takes little memory (an eighth of the
    payload), for the next time.
    """

    def __init__(self, head: bytes, payload: Payload) -> None:
        """Put `head` before the chunks."""
        self._head = head
        self._payload = payload
        self._kept: dict[int, Frame] = {}
        self._room = max(_KEPT_AT_LEAST, payload.size // _KEPT_SHARE)

    def __iter__(self) -> Iterator[Buffer]:
        return self._parts(remember=False)

    def remembering(self) -> Iterator[Buffer]:
        """Iterate over the parts, and keep some of them."""
        return self._parts(remember=True)

    def _parts(self, *, remember: bool) -> Iterator[Buffer]:
        yield self._head
        for number, frame in enumerate(_in_order(self._calls())):
            if remember:
                self._keep(number, frame)
            yield frame.head
            yield from frame.body

    def _calls(self) -> Iterator[Callable[[], Frame]]:
        for number, (chunk, item_size) in enumerate(self._chunks()):
            kept = self._kept.get(number)
            yield partial(encode_chunk, chunk, item_size) if kept is None else partial(_same, kept)

    def _chunks(self) -> Iterator[tuple[Bytes, int]]:
        tree = np.frombuffer(self._payload.tree, np.uint8)
        yield from ((chunk, 1) for chunk in _split(tree))
        for array in self._payload.arrays:
            if array.nbytes:
                yield from ((chunk, array.itemsize) for chunk in _split(bytes_view(array)))

    def _keep(self, number: int, frame: Frame) -> None:
        method, size = FRAME.unpack(frame.head)
        if number in self._kept:
            return
        if method == RAW:  # a view of the array
            self._kept[number] = frame
        elif size <= self._room:
            self._room -= size
            # Joined, since one plane that is not compressed is a view of the whole chunk.
            self._kept[number] = Frame(frame.head, (b"".join(frame.body),))


def read_chunked(reader: HashingReader, tree_length: int, total: int) -> Value:
    """Decode a value whose payload has `total` bytes. Raises CorruptBlob.

    The bytes have not been verified before: see `HashingReader.finish`.
    """
    arrays = _ChunkedArrays(reader, total - tree_length)
    try:
        tree = _empty(tree_length)
        arrays.fill(tree, 1)
        arrays.wait()
        value = read_tree(tree.data, arrays)
    finally:
        # Nothing may write to the arrays any more, also after an error.
        arrays.wait()
    if payload_size(tree_length, arrays.lengths) != total:
        raise CorruptBlob(f"expected {total} bytes, found arrays of {sum(arrays.lengths)}")
    return value


class _ChunkedArrays:
    """Takes arrays from a stream of frames; they are complete after `wait`."""

    def __init__(self, reader: HashingReader, most: int) -> None:
        """Take at most so many bytes."""
        self._reader = reader
        self._most = most
        self._running: deque[Callable[[], None]] = deque()
        self.lengths: list[int] = []

    def take(self, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> Array:
        """Return the next array, read-only, while its chunks are still decoded."""
        try:
            if int(np.prod(shape, dtype=object)) * dtype.itemsize > self._most:
                raise CorruptBlob(f"an array of {shape} {dtype} ends after the payload")
            array: Array = np.empty(shape, dtype)
        except MemoryError as error:
            raise CorruptBlob(f"no memory for an array of {shape} {dtype}") from error
        self._most -= array.nbytes
        self.lengths.append(array.nbytes)
        if array.nbytes:
            self.fill(bytes_view(array), dtype.itemsize)
        return read_only(array)

    def fill(self, target: Bytes, item_size: int) -> None:
        """Read all chunks of an array."""
        for chunk in _split(target):
            method, length = FRAME.unpack(self._reader.read(FRAME.size))
            if length > len(chunk):
                raise CorruptBlob(f"a chunk of {len(chunk)} bytes has {length} when compressed")
            if method == RAW and length == len(chunk):
                self._reader.read_into(chunk.data)
                continue
            body = self._reader.read(length)
            call = partial(decode_chunk, method, body, chunk, item_size)
            self._running.append(_coders.submit(call))
            if len(self._running) > _AHEAD:
                self._running.popleft()()

    def wait(self) -> None:
        """Wait until all chunks are decoded; raises the first error once all have ended."""
        problem: CorruptBlob | None = None
        while self._running:
            try:
                self._running.popleft()()
            except CorruptBlob as error:
                problem = problem or error
        if problem is not None:
            raise problem


def _empty(size: int) -> Bytes:
    try:
        return np.empty(size, np.uint8)
    except MemoryError as error:
        raise CorruptBlob(f"no memory for {size} bytes") from error


def _split(data: Bytes) -> Iterable[Bytes]:
    return (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))


def _same(frame: Frame) -> Frame:
    return frame


def _in_order(calls: Iterable[Callable[[], T]]) -> Iterator[T]:
    """Iterate over the results of calls, some of which are made ahead in threads."""
    running: deque[Callable[[], T]] = deque()
    for call in calls:
        running.append(_coders.submit(call))
        if len(running) > _AHEAD:
            yield running.popleft()()
    while running:
        yield running.popleft()()
