"""Values as bytes and back: typed, versioned, self-describing, without pickle.

A blob is a head of 64 bytes and a payload (see `payload`). The head has a magic word, the version,
whether the payload is compressed (zstd), and the lengths of its tree and of the whole. Compressed
bytes depend on the library's version, therefore values are compared by payload.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import zstandard

from voxk8s.errors import CorruptBlob, UnsupportedValue
from voxk8s.plan.model import Digest
from voxk8s.storage.payload import Buffer, read_payload, write_payload
from voxk8s.values import Value

MAGIC: Final = b"VXK8"
VERSION: Final = 1
MAX_BYTES: Final = 1 << 36
"""Payloads beyond this (64 GiB) are refused before memory is asked for."""

_HEAD: Final = struct.Struct("<4sBB2xQQ40x")
_RAW, _ZSTD = 0, 1
_LEVEL: Final = 1
_LEAST_COMPRESSED: Final = 512
_SAMPLE: Final = 64 * 1024
_WORTHWHILE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Encoded:
    """Bytes to store, in parts that are not joined, so that arrays are not copied."""

    parts: tuple[Buffer, ...]
    size: int

    def digest(self) -> Digest:
        """SHA-256 of the bytes."""
        return digest_of(self.parts)

    def join(self) -> bytes:
        """All bytes in one piece."""
        return b"".join(self.parts)


def digest_of(parts: Sequence[Buffer]) -> Digest:
    """SHA-256 of parts, one after the other."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return Digest(state.hexdigest())


def encode(value: Value, *, compress_from: int = _LEAST_COMPRESSED) -> Encoded:
    """Encode a value that is no saved file.

    Payloads of at least `compress_from` bytes are compressed when that is worth while. Raises
    UnsupportedValue for what is no value.
    """
    payload, tree_length = write_payload(value)
    total = sum(len(part) for part in payload)
    if total > MAX_BYTES:
        raise UnsupportedValue(f"a value of {total} bytes is more than the store takes")
    if total >= compress_from and _compressible(payload, total):
        compressed = _compress(payload, total)
        if len(compressed) < total:
            head = _HEAD.pack(MAGIC, VERSION, _ZSTD, tree_length, total)
            return Encoded((head, compressed), _HEAD.size + len(compressed))
    head = _HEAD.pack(MAGIC, VERSION, _RAW, tree_length, total)
    return Encoded((head, *payload), _HEAD.size + total)


def decode(data: Buffer, *, most: int = MAX_BYTES) -> Value:
    """Decode what `encode` wrote; raises CorruptBlob for anything else.

    Arrays are read-only views of `data` when it is not compressed. Nothing larger than the head
    promises, nor than `most` bytes, is ever unpacked.
    """
    payload, tree_length = _unpack(memoryview(data), most)
    return read_payload(payload, tree_length)


def payload_digest(data: Buffer) -> Digest:
    """SHA-256 of the payload of an encoded value, the same however it was compressed."""
    payload, _ = _unpack(memoryview(data), MAX_BYTES)
    return digest_of((payload,))


def _compressible(parts: Sequence[Buffer], total: int) -> bool:
    """Try three samples: floats full of noise are not worth a second of compressing."""
    if total < 4 * _SAMPLE:
        return True
    largest = memoryview(max(parts, key=len))
    steps = (0, max(0, (len(largest) - _SAMPLE) // 2), max(0, len(largest) - _SAMPLE))
    sample = b"".join(largest[at : at + _SAMPLE] for at in steps)
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(sample)
    return len(packed) < _WORTHWHILE * len(sample)


def _compress(parts: Sequence[Buffer], total: int) -> bytes:
    stream = zstandard.ZstdCompressor(level=_LEVEL).compressobj(size=total)
    chunks = [stream.compress(part) for part in parts]
    chunks.append(stream.flush())
    return b"".join(chunks)


def _unpack(data: memoryview, most: int) -> tuple[memoryview, int]:
    """Check the head; give the payload, uncompressed, and the length of its tree."""
    if len(data) < _HEAD.size:
        raise CorruptBlob(f"{len(data)} bytes are too few for a value")
    magic, version, compression, tree_length, total = _HEAD.unpack_from(data)
    if magic != MAGIC or version != VERSION or compression not in (_RAW, _ZSTD):
        raise CorruptBlob(
            f"no value of version {VERSION}: magic {magic!r}, version {version},"
            f" compression {compression}"
        )
    if not 0 < tree_length <= total <= most:
        raise CorruptBlob(f"a value of {total} bytes with a tree of {tree_length} is refused")
    body = data[_HEAD.size :]
    if compression == _ZSTD:
        body = _decompress(body, total)
    if len(body) != total:
        raise CorruptBlob(f"the head promises {total} bytes, there are {len(body)}")
    return body, tree_length


def _decompress(body: memoryview, total: int) -> memoryview:
    try:
        # The frame's own size decides how much memory is taken, so it must be the head's.
        if zstandard.frame_content_size(body) != total:
            raise CorruptBlob("the compressed part has another size than the head promises")
        return memoryview(zstandard.ZstdDecompressor().decompress(body, allow_extra_data=False))
    except zstandard.ZstdError as error:
        raise CorruptBlob(f"a value cannot be decompressed: {error}") from error
