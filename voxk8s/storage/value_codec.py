"""Encodes values as bytes and decodes them: typed, versioned, self-describing, without pickle.

An encoded value is a header of 64 bytes and a payload (see `payload`). The header has a magic
number, the version, how the payload is compressed, and the lengths of its tree and of the whole.
Version 1 compresses the payload as a whole by zstd, or not at all. Version 2 compresses it in
chunks (see `chunked_payload`); values are written in it from 256 KiB. Compressed bytes depend on
the version of zstd and of this module, so values are compared by payload.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import zstandard

from voxk8s.errors import CorruptBlob, UnsupportedValue
from voxk8s.memory import usable_memory
from voxk8s.plan.model import Digest
from voxk8s.storage.byte_source import HashingReader, MemorySource
from voxk8s.storage.chunked_payload import ChunkedParts, read_chunked
from voxk8s.storage.payload import Buffer, Payload, read_payload, write_payload
from voxk8s.values import Value

MAGIC: Final = b"VXK8"
VERSION: Final = 1
CHUNKED_VERSION: Final = 2
MAX_BYTES: Final = 1 << 36
"""Larger payloads (64 GiB) are refused before memory is allocated."""

_HEADER: Final = struct.Struct("<4sBB2xQQ40x")
HEAD_SIZE: Final = _HEADER.size
_RAW, _ZSTD, _CHUNKED = 0, 1, 2
_CHUNKED_FROM: Final = 256 * 1024
_LEVEL: Final = 1
_LEAST_COMPRESSED: Final = 512


class Encoded:
    """Bytes to store, as parts that are not joined, so that arrays are not copied.

    `parts` can be iterated over again and again. Those of a large value are encoded each time, and
    never in memory as a whole; its size and digest are found by the first iteration.
    """

    def __init__(
        self, parts: tuple[Buffer, ...] | ChunkedParts, payload: Payload | None = None
    ) -> None:
        """Take the parts, and the payload that is encoded in them."""
        self.parts = parts
        self._payload = payload
        self._found: tuple[Digest, int] | None = None

    @property
    def is_stream(self) -> bool:
        """Whether the parts are encoded while they are iterated over."""
        return isinstance(self.parts, ChunkedParts)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._measured()[1]

    def digest(self) -> Digest:
        """Return the SHA-256 of the bytes."""
        return self._measured()[0]

    def payload_digest(self) -> Digest:
        """Return the SHA-256 of the payload, however it is compressed."""
        return digest_of(self.parts if self._payload is None else self._payload.parts())

    def join(self) -> bytes:
        """Return all bytes, joined."""
        return b"".join(self.parts)

    def measuring(self) -> Iterator[Buffer]:
        """Iterate over the parts, and find size and digest on the way."""
        return self._measure(self.parts)

    def _measured(self) -> tuple[Digest, int]:
        if self._found is None:
            parts = self.parts
            for _ in self._measure(
                parts.remembering() if isinstance(parts, ChunkedParts) else parts
            ):
                pass
            if self._found is None:
                raise AssertionError("all parts have been measured")
        return self._found

    def _measure(self, parts: Iterable[Buffer]) -> Iterator[Buffer]:
        state, size = hashlib.sha256(), 0
        for part in parts:
            state.update(part)
            size += len(part)
            yield part
        self._found = Digest(state.hexdigest()), size


def digest_of(parts: Iterable[Buffer]) -> Digest:
    """Return the SHA-256 of concatenated parts."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return Digest(state.hexdigest())


def encode(value: Value, *, compress_from: int = _LEAST_COMPRESSED) -> Encoded:
    """Encode a value that is not a saved file.

    Payloads of at least `compress_from` bytes are compressed when that makes them smaller. Raises
    UnsupportedValue for other objects.
    """
    payload = write_payload(value)
    total, tree_length = payload.size, len(payload.tree)
    if total > MAX_BYTES:
        raise UnsupportedValue(f"expected a value of at most {MAX_BYTES} bytes, got {total}")
    if total >= _CHUNKED_FROM:
        head = _HEADER.pack(MAGIC, CHUNKED_VERSION, _CHUNKED, tree_length, total)
        return Encoded(ChunkedParts(head, payload), payload)
    parts = tuple(payload.parts())
    if total >= compress_from:
        compressed = _compress(parts, total)
        if len(compressed) < total:
            head = _HEADER.pack(MAGIC, VERSION, _ZSTD, tree_length, total)
            return Encoded((head, compressed), payload)
    head = _HEADER.pack(MAGIC, VERSION, _RAW, tree_length, total)
    return Encoded((head, *parts), payload)


def decode(data: Buffer, *, max_bytes: int = MAX_BYTES) -> Value:
    """Decode what `encode` wrote; raises CorruptBlob for anything else.

    Arrays are read-only; of version 1, when it is not compressed, they are views of `data`. Nothing
    larger than the header says, nor than `max_bytes`, is ever decompressed.
    """
    view = memoryview(data)
    if is_chunked(view):
        reader = HashingReader(MemorySource(view))
        value = decode_stream(reader.read(HEAD_SIZE), reader, max_bytes=max_bytes)
        if reader.size != len(view):
            raise CorruptBlob(f"a value uses {reader.size} of {len(view)} bytes")
        return value
    payload, tree_length = _unpack(view, max_bytes)
    return read_payload(payload, tree_length)


def is_chunked(head: Buffer) -> bool:
    """Whether bytes begin as those that `decode_stream` takes."""
    return len(head) >= _HEADER.size and head[:5] == MAGIC + bytes([CHUNKED_VERSION])


def decode_stream(head: memoryview, reader: HashingReader, *, max_bytes: int = MAX_BYTES) -> Value:
    """Decode a value of version 2 of which the first `HEAD_SIZE` bytes were read.

    Raises CorruptBlob for anything else. The caller verifies the digest of all bytes
    (`HashingReader.finish`) before it uses the value.
    """
    version, method, tree_length, total = _header(head, max_bytes)
    if (version, method) != (CHUNKED_VERSION, _CHUNKED):
        raise CorruptBlob(f"expected a value in chunks, found version {version}, method {method}")
    return read_chunked(reader, tree_length, total)


def payload_digest(data: Buffer) -> Digest:
    """Return the SHA-256 of the payload of an encoded value, however it was compressed."""
    if is_chunked(data):
        return digest_of(write_payload(decode(data)).parts())
    payload, _ = _unpack(memoryview(data), MAX_BYTES)
    return digest_of((payload,))


def _compress(parts: Sequence[Buffer], total: int) -> bytes:
    stream = zstandard.ZstdCompressor(level=_LEVEL).compressobj(size=total)
    chunks = [stream.compress(part) for part in parts]
    chunks.append(stream.flush())
    return b"".join(chunks)


def _header(data: memoryview, max_bytes: int) -> tuple[int, int, int, int]:
    """Return version, method of compression, length of the tree and of the payload."""
    if len(data) < _HEADER.size:
        raise CorruptBlob(f"expected at least {_HEADER.size} bytes, found {len(data)}")
    magic, version, method, tree_length, total = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise CorruptBlob(f"expected a value, found bytes that begin with {magic!r}")
    if not 0 < tree_length <= total:
        raise CorruptBlob(f"invalid lengths: {total} bytes with a tree of {tree_length}")
    if total > min(max_bytes, usable_memory()):
        raise CorruptBlob(
            f"invalid lengths: {total} bytes, of at most {max_bytes} and the memory of this machine"
        )
    return version, method, tree_length, total


def _unpack(data: memoryview, max_bytes: int) -> tuple[memoryview, int]:
    """Check the header of version 1; return the decompressed payload and the tree's length."""
    version, method, tree_length, total = _header(data, max_bytes)
    if version != VERSION or method not in (_RAW, _ZSTD):
        raise CorruptBlob(
            f"expected a value of version {VERSION} or {CHUNKED_VERSION}, found version {version},"
            f" compression {method}"
        )
    body = data[_HEADER.size :]
    if method == _ZSTD:
        body = _decompress(body, total)
    if len(body) != total:
        raise CorruptBlob(f"expected {total} bytes, found {len(body)}")
    return body, tree_length


def _decompress(body: memoryview, total: int) -> memoryview:
    try:
        # The frame's own size decides how much memory is allocated, so it must be the header's.
        if zstandard.frame_content_size(body) != total:
            raise CorruptBlob("the compressed part and the header disagree about the size")
        return memoryview(zstandard.ZstdDecompressor().decompress(body, allow_extra_data=False))
    except (zstandard.ZstdError, MemoryError) as error:
        raise CorruptBlob(f"a value cannot be decompressed: {error}") from error
