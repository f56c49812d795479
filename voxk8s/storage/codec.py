"""Values as bytes and back: typed, versioned, self-describing, without pickle.

A blob is a head of 64 bytes and a payload. The head has a magic word, the version, whether the
payload is compressed (zstd), and the lengths of its tree and of the whole. The payload is a tree in
MessagePack, then the bytes of the arrays in C order, each at a multiple of 64. In the tree scalars
stand for themselves and lists are arrays; everything else is a map with one tag as its only key:
`m` mapping (pairs in order), `a` array, `I` image, `i` integer beyond 64 bits.

Equal values give equal payloads; compressed bytes depend on the library's version, therefore
values are compared by payload.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
import numpy as np
import zstandard

from voxk8s.errors import CorruptBlob, UnsupportedValue
from voxk8s.plan.model import Digest
from voxk8s.values import Array, Image, SavedFile, Value

MAGIC: Final = b"VXK8"
VERSION: Final = 1
MAX_DEPTH: Final = 200
"""Lists and mappings may be nested this deep."""
MAX_BYTES: Final = 1 << 36
"""Payloads beyond this (64 GiB) are refused before memory is asked for."""

_ALIGN: Final = 64
_HEAD: Final = struct.Struct("<4sBB2xQQ40x")
_RAW, _ZSTD = 0, 1
_LEVEL: Final = 1
_LEAST_COMPRESSED: Final = 512
_SAMPLE: Final = 64 * 1024
_WORTHWHILE: Final = 0.9
_DTYPE = re.compile(r"[<>|](b1|[iu][1248]|f[248]|c(8|16)|[SU][1-9]\d{0,5}|[mM]8(\[\w{1,8}\])?)")

Buffer: TypeAlias = bytes | memoryview
# What MessagePack holds; recursive, and so an object at the seam to msgspec.
Tree: TypeAlias = object


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
    payload, tree_length = _payload(value)
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
    try:
        tree: Tree = msgspec.msgpack.decode(payload[:tree_length])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        raise CorruptBlob(f"the tree of a value cannot be read: {error}") from error
    reader = _Reader(payload, _aligned(tree_length))
    value = reader.value(tree, 0)
    reader.finish()
    return value


def payload_digest(data: Buffer) -> Digest:
    """SHA-256 of the payload of an encoded value, the same however it was compressed."""
    payload, _ = _unpack(memoryview(data), MAX_BYTES)
    return digest_of((payload,))


# --- writing ------------------------------------------------------------------------------------


def _payload(value: Value) -> tuple[list[Buffer], int]:
    arrays: list[Array] = []
    tree = _tree(value, arrays, 0)
    try:
        head = msgspec.msgpack.encode(tree)
    except (UnicodeEncodeError, OverflowError) as error:
        raise UnsupportedValue(f"a string or number cannot be stored: {error}") from error
    parts: list[Buffer] = [head]
    length = len(head)
    for array in arrays:
        if gap := -length % _ALIGN:
            parts.append(bytes(gap))
            length += gap
        if array.nbytes:
            parts.append(_bytes_view(array))
            length += array.nbytes
    if arrays and (gap := -length % _ALIGN):
        parts.append(bytes(gap))
    return parts, len(head)


def _bytes_view(array: Array) -> memoryview:
    # Date and time arrays have no buffer of their own; every dtype here can be seen as bytes.
    return array.reshape(-1).view(np.uint8).data


def _tree(value: Value, arrays: list[Array], depth: int) -> Tree:
    if depth > MAX_DEPTH:
        raise UnsupportedValue(f"a value is nested deeper than {MAX_DEPTH} lists and mappings")
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, np.generic):
        return _numpy_scalar(value, arrays)
    if isinstance(value, int):
        return int(value) if -(1 << 63) <= value < 1 << 64 else {"i": format(value, "x")}
    if isinstance(value, float):
        return float(value)
    if isinstance(value, np.ndarray):
        return {"a": _array(value, arrays)}
    if isinstance(value, Image):
        return {"I": _image(value, arrays)}
    if isinstance(value, (list, tuple)):
        if {float, str, bool}.issuperset(map(type, value)):
            return value
        return [_tree(item, arrays, depth + 1) for item in value]
    if isinstance(value, SavedFile):
        raise UnsupportedValue("a saved file can only be a whole result, not part of a value")
    if isinstance(value, Mapping):
        pairs: list[Tree] = []
        for name, item in value.items():
            if not isinstance(name, str):
                raise UnsupportedValue(f"a mapping has the key {name!r}: only strings are stored")
            pairs.append([name, _tree(item, arrays, depth + 1)])
        return {"m": pairs}
    raise UnsupportedValue(f"a {type(value).__name__} is no value: it cannot be stored")


def _numpy_scalar(value: np.generic, arrays: list[Array]) -> Tree:
    item = value.item()
    if isinstance(item, (bool, int, float, str)) and value.dtype.kind in "biufU":
        return item
    return {"a": _array(np.asarray(value), arrays)}


def _image(image: Image, arrays: list[Array]) -> Tree:
    return [
        _array(image.array, arrays),
        [float(x) for x in image.spacing],
        [float(x) for x in image.origin],
        [float(x) for x in image.direction],
        int(image.channels),
    ]


def _array(array: Array, arrays: list[Array]) -> Tree:
    name = array.dtype.str
    if not _DTYPE.fullmatch(name):
        raise UnsupportedValue(f"arrays of dtype {array.dtype} cannot be stored")
    # C order always: equal arrays have equal bytes. `ascontiguousarray` would make 0-d arrays 1-d.
    arrays.append(np.asarray(array, order="C"))
    return [name, list(array.shape)]


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


# --- reading ------------------------------------------------------------------------------------


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
    except (zstandard.ZstdError, MemoryError) as error:
        raise CorruptBlob(f"a value cannot be decompressed: {error}") from error


def _aligned(offset: int) -> int:
    return offset + (-offset % _ALIGN)


class _Reader:
    """Builds values from a tree, taking arrays from the payload one after the other."""

    __slots__ = ("_arrays", "_offset", "_payload")

    def __init__(self, payload: memoryview, offset: int) -> None:
        self._payload = payload
        self._offset = offset
        self._arrays = 0

    def finish(self) -> None:
        """Raise CorruptBlob unless the payload ends where its last array ends."""
        length = len(self._payload)
        if self._arrays and length != self._offset:
            raise CorruptBlob(f"a value uses {self._offset} of {length} bytes")

    def value(self, tree: Tree, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise CorruptBlob("a value is nested too deep")
        if tree is None or isinstance(tree, (bool, int, float, str)):
            return tree
        if isinstance(tree, list):
            return [self.value(item, depth + 1) for item in tree]
        if isinstance(tree, dict) and len(tree) == 1:
            tag, content = next(iter(tree.items()))
            match tag:
                case "m":
                    return self._mapping(content, depth)
                case "a":
                    return self._array(content)
                case "I":
                    return self._image(content)
                case "i":
                    return _big_integer(content)
        raise CorruptBlob("a value has a part of unknown kind")

    def _mapping(self, content: Tree, depth: int) -> Value:
        result: dict[str, Value] = {}
        for pair in _list(content):
            name, item = _list(pair, 2)
            if not isinstance(name, str) or name in result:
                raise CorruptBlob(f"a mapping has the key {name!r}")
            result[name] = self.value(item, depth + 1)
        return result

    def _array(self, content: Tree) -> Array:
        name, sizes = _list(content, 2)
        shape = tuple(_size(size) for size in _list(sizes))
        if not isinstance(name, str) or not _DTYPE.fullmatch(name) or len(shape) > 32:
            raise CorruptBlob(f"an array has the dtype {name!r} and {len(shape)} axes")
        dtype = np.dtype(name)
        length = math.prod(shape) * dtype.itemsize
        end = self._offset + length
        if end > len(self._payload):
            raise CorruptBlob(f"an array of {length} bytes goes beyond the end")
        # Bytes first: not every dtype can be had from a buffer, but all can be seen in bytes.
        raw = np.frombuffer(self._payload[self._offset : end], dtype=np.uint8)
        self._offset = _aligned(end)
        self._arrays += 1
        if not length:
            array: Array = np.empty(shape, dtype)
            array.flags.writeable = False
            return array
        array = raw.view(dtype).reshape(shape)
        if not array.flags.aligned:
            array = array.copy()
            array.flags.writeable = False
        return array

    def _image(self, content: Tree) -> Image:
        array, spacing, origin, direction, channels = _list(content, 5)
        voxels = self._array(array)
        image = Image(
            voxels, _floats(spacing), _floats(origin), _floats(direction), _size(channels)
        )
        axes = image.dimension + (image.channels != 1)
        if voxels.ndim != axes or len(image.direction) != image.dimension**2:
            raise CorruptBlob(f"an image of {image.dimension} axes has {voxels.ndim} of voxels")
        return image


def _list(tree: Tree, length: int | None = None) -> list[Tree]:
    if not isinstance(tree, list) or (length is not None and len(tree) != length):
        raise CorruptBlob("a value has a list of the wrong form")
    return tree


def _size(tree: Tree) -> int:
    if not isinstance(tree, int) or isinstance(tree, bool) or tree < 0:
        raise CorruptBlob(f"{tree!r} is no size")
    return tree


def _floats(tree: Tree) -> tuple[float, ...]:
    numbers = []
    for item in _list(tree):
        if not isinstance(item, float):
            raise CorruptBlob(f"{item!r} is no number of a geometry")
        numbers.append(item)
    return tuple(numbers)


def _big_integer(tree: Tree) -> int:
    # Hexadecimal: Python bounds the length of decimal ones.
    if not isinstance(tree, str) or not re.fullmatch(r"-?[0-9a-f]+", tree):
        raise CorruptBlob("an integer is written wrongly")
    return int(tree, 16)
