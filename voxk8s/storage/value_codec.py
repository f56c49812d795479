"""Encodes values as bytes and decodes them: typed, versioned, self-describing, without pickle.

An encoded value is a header of 64 bytes and a payload (see `payload`). The header has a magic
number, the version, whether the payload is compressed (zstd), and the lengths of its tree and of
the whole. Compressed bytes depend on the version of zstd, so values are compared by payload.
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
"""Larger payloads (64 GiB) are refused before memory is allocated."""

_HEADER: Final = struct.Struct("<4sBB2xQQ40x")
_RAW, _ZSTD = 0, 1
_LEVEL: Final = 1
_LEAST_COMPRESSED: Final = 512
_SAMPLE: Final = 64 * 1024
_WORTHWHILE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Encoded:
    """Bytes to store, as parts that are not joined, so that arrays are not copied."""

    parts: tuple[Buffer, ...]
    size: int

    def digest(self) -> Digest:
        """Return the SHA-256 of the bytes."""
        return digest_of(self.parts)

    def join(self) -> bytes:
        """Return all bytes, joined."""
        return b"".join(self.parts)


def digest_of(parts: Sequence[Buffer]) -> Digest:
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
    payload, tree_length = write_payload(value)
    total = sum(len(part) for part in payload)
    if total > MAX_BYTES:
        raise UnsupportedValue(f"expected a value of at most {MAX_BYTES} bytes, got {total}")
    if total >= compress_from and _is_compressible(payload, total):
        compressed = _compress(payload, total)
        if len(compressed) < total:
            head = _HEADER.pack(MAGIC, VERSION, _ZSTD, tree_length, total)
            return Encoded((head, compressed), _HEADER.size + len(compressed))
    head = _HEADER.pack(MAGIC, VERSION, _RAW, tree_length, total)
    return Encoded((head, *payload), _HEADER.size + total)


def decode(data: Buffer, *, max_bytes: int = MAX_BYTES) -> Value:
    """Decode what `encode` wrote; raises CorruptBlob for anything else.

    Arrays are read-only views of `data` when it is not compressed. Nothing larger than the header
    says, nor than `max_bytes`, is ever decompressed.
    """
    payload, tree_length = _unpack(memoryview(data), max_bytes)
    return read_payload(payload, tree_length)


def payload_digest(data: Buffer) -> Digest:
    """Return the SHA-256 of the payload of an encoded value, however it was compressed."""
    payload, _ = _unpack(memoryview(data), MAX_BYTES)
    return digest_of((payload,))


def _is_compressible(parts: Sequence[Buffer], total: int) -> bool:
    """Whether three samples compress: a second is not worth it for noisy floats."""
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


def _unpack(data: memoryview, max_bytes: int) -> tuple[memoryview, int]:
    """Check the header; return the decompressed payload and the length of its tree."""
    if len(data) < _HEADER.size:
        raise CorruptBlob(f"expected at least {_HEADER.size} bytes, found {len(data)}")
    magic, version, compression, tree_length, total = _HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION or compression not in (_RAW, _ZSTD):
        raise CorruptBlob(
            f"expected a value of version {VERSION}, found magic {magic!r}, version {version},"
            f" compression {compression}"
        )
    if not 0 < tree_length <= total <= max_bytes:
        raise CorruptBlob(f"invalid lengths: {total} bytes with a tree of {tree_length}")
    body = data[_HEADER.size :]
    if compression == _ZSTD:
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
    except zstandard.ZstdError as error:
        raise CorruptBlob(f"a value cannot be decompressed: {error}") from error
