"""The payload of an encoded value: a tree in MessagePack, then the bytes of its arrays.

In the tree, scalars and lists are MessagePack scalars and arrays; everything else is a map with a
tag as its only key: `m` mapping (pairs in order), `a` numpy array, `I` image, `i` integer beyond
64 bits. Numpy arrays follow in C order, each at a multiple of 64 bytes. Equal values have equal
payloads.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import CorruptBlob, UnsupportedValue
from voxk8s.read_only import read_only
from voxk8s.values import Array, Image, SavedFile, Value

MAX_DEPTH: Final = 200
"""Deepest nesting of lists and mappings."""
TOO_DEEP: Final = f"a value is nested deeper than {MAX_DEPTH} lists and mappings"
MAX_AXES: Final = 64
"""Most axes of an array, as in numpy."""

_ALIGN: Final = 64
_DTYPE = re.compile(r"[<>|](b1|[iu][1248]|f[248]|c(8|16)|[SU][1-9]\d{0,5}|[mM]8(\[\w{1,8}\])?)")

Buffer: TypeAlias = bytes | memoryview
# What MessagePack holds: a recursive type, which msgspec cannot express.
Tree: TypeAlias = object

# --- writing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Payload:
    """The payload of a value: its packed tree, and its arrays in C order."""

    tree: bytes
    arrays: list[Array]

    @property
    def size(self) -> int:
        """Length in bytes, gaps included."""
        return payload_size(len(self.tree), [array.nbytes for array in self.arrays])

    def parts(self) -> Iterator[Buffer]:
        """Iterate over the bytes. Arrays are not copied."""
        yield self.tree
        length = len(self.tree)
        for array in self.arrays:
            if gap := -length % _ALIGN:
                yield bytes(gap)
                length += gap
            if array.nbytes:
                yield bytes_view(array).data
                length += array.nbytes
        if self.arrays and (gap := -length % _ALIGN):
            yield bytes(gap)


def payload_size(tree_length: int, array_lengths: Sequence[int]) -> int:
    """Return the length of a payload from those of its parts, in bytes."""
    if not array_lengths:
        return tree_length
    return _aligned(tree_length) + sum(map(_aligned, array_lengths))


def write_payload(value: Value) -> Payload:
    """Return the payload of a value; arrays in C order are not copied.

    Raises UnsupportedValue for an object that is not a value.
    """
    arrays: list[Array] = []
    tree = _tree(value, arrays, 0)
    try:
        return Payload(msgspec.msgpack.encode(tree), arrays)
    except (UnicodeEncodeError, OverflowError) as error:
        raise UnsupportedValue(f"a string or number cannot be stored: {error}") from error


def bytes_view(array: Array) -> NDArray[np.uint8]:
    """Return the bytes of an array in C order, not copied."""
    # Date and time arrays have no buffer of their own; every dtype here has a view as bytes.
    return array.reshape(-1).view(np.uint8)


def _tree(value: Value, arrays: list[Array], depth: int) -> Tree:
    if value is None or isinstance(value, (bool, str)):
        # Not `str(value)`: for a member of an enumeration that is its name.
        return str.__str__(value) if isinstance(value, str) else value
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
    if depth == MAX_DEPTH and isinstance(value, (list, tuple, Mapping)):
        raise UnsupportedValue(TOO_DEEP)
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
    raise unsupported(value)


def unsupported(value: object) -> UnsupportedValue:
    """Return the error for an object that is not a value."""
    return UnsupportedValue(f"cannot store an object of type {type(value).__name__}")


def check_array(array: Array) -> None:
    """Raise UnsupportedValue unless an array has numbers, strings or dates, unmasked."""
    # numpy imports `numpy.ma` on first use, which takes 15 ms: without it there is no such array.
    if "numpy.ma" in sys.modules and isinstance(array, np.ma.MaskedArray):
        raise UnsupportedValue("a masked array cannot be stored: fill it first (numpy.ma.filled)")
    if not _DTYPE.fullmatch(array.dtype.str):
        raise UnsupportedValue(f"arrays of dtype {array.dtype} cannot be stored")


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
    check_array(array)
    # C order always: equal arrays have equal bytes. `ascontiguousarray` would make 0-d arrays 1-d.
    arrays.append(np.asarray(array, order="C"))
    return [array.dtype.str, list(array.shape)]


# --- reading ------------------------------------------------------------------------------------


class ArraySource(Protocol):
    """Where the arrays of a value come from, in order."""

    def take(self, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> Array:
        """Return the next array, read-only. Raises CorruptBlob, ValueError or TypeError."""


def read_payload(payload: memoryview, tree_length: int) -> Value:
    """Decode the value of a payload; arrays are read-only views of it. Raises CorruptBlob."""
    arrays = _PayloadArrays(payload, _aligned(tree_length))
    value = read_tree(payload[:tree_length], arrays)
    arrays.finish()
    return value


def read_tree(packed: memoryview, arrays: ArraySource) -> Value:
    """Decode a value from its tree; its arrays are taken in order. Raises CorruptBlob."""
    try:
        tree: Tree = msgspec.msgpack.decode(packed)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        raise CorruptBlob(f"the tree of a value cannot be read: {error}") from error
    return _Reader(arrays).value(tree, 0)


def _aligned(offset: int) -> int:
    return offset + (-offset % _ALIGN)


class _PayloadArrays:
    """Takes arrays from a payload in memory."""

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

    def take(self, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> Array:
        """Return a view of the next bytes."""
        length = math.prod(shape) * dtype.itemsize
        end = self._offset + length
        if end > len(self._payload):
            raise CorruptBlob(f"an array of {length} bytes ends after the payload")
        # As bytes first: not every dtype can be read from a buffer, but all are views of bytes.
        raw = np.frombuffer(self._payload[self._offset : end], dtype=np.uint8)
        self._offset = _aligned(end)
        self._arrays += 1
        if not length:
            return read_only(np.empty(shape, dtype))
        array: Array = raw.view(dtype).reshape(shape)
        return array if array.flags.aligned else read_only(array.copy())


class _Reader:
    """Decodes values from a tree, taking arrays in order."""

    __slots__ = ("_arrays",)

    def __init__(self, arrays: ArraySource) -> None:
        self._arrays = arrays

    def value(self, tree: Tree, depth: int) -> Value:
        if tree is None or isinstance(tree, (bool, int, float, str)):
            return tree
        if depth > MAX_DEPTH:
            # One level more than is written now: earlier versions wrote such lists of numbers.
            raise CorruptBlob(TOO_DEEP)
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
        raise CorruptBlob("a value has a part of an unknown kind")

    def _mapping(self, content: Tree, depth: int) -> Value:
        result: dict[str, Value] = {}
        for pair in _list(content):
            name, item = _list(pair, 2)
            if not isinstance(name, str) or name in result:
                raise CorruptBlob(f"a mapping has the invalid or repeated key {name!r}")
            result[name] = self.value(item, depth + 1)
        return result

    def _array(self, content: Tree) -> Array:
        name, sizes = _list(content, 2)
        shape = tuple(_size(size) for size in _list(sizes))
        if not isinstance(name, str) or not _DTYPE.fullmatch(name) or len(shape) > MAX_AXES:
            raise CorruptBlob(f"an array has the dtype {name!r} and {len(shape)} axes")
        try:
            return self._arrays.take(np.dtype(name), shape)
        except (TypeError, ValueError, OverflowError) as error:
            raise CorruptBlob(
                f"invalid array of dtype {name!r} and shape {shape}: {error}"
            ) from error

    def _image(self, content: Tree) -> Image:
        array, spacing, origin, direction, channels = _list(content, 5)
        voxels = self._array(array)
        image = Image(
            voxels, _floats(spacing), _floats(origin), _floats(direction), _size(channels)
        )
        axes = image.dimension + (image.channels != 1)
        geometry = (image.dimension, image.dimension**2)
        if voxels.ndim != axes or (len(image.origin), len(image.direction)) != geometry:
            raise CorruptBlob(f"expected voxels of {axes} axes in an image, found {voxels.ndim}")
        return image


def _list(tree: Tree, length: int | None = None) -> list[Tree]:
    if not isinstance(tree, list) or (length is not None and len(tree) != length):
        raise CorruptBlob("a value has a list of the wrong length or kind")
    return tree


def _size(tree: Tree) -> int:
    if not isinstance(tree, int) or isinstance(tree, bool) or tree < 0:
        raise CorruptBlob(f"expected a size, found {tree!r}")
    return tree


def _floats(tree: Tree) -> tuple[float, ...]:
    numbers = []
    for item in _list(tree):
        if not isinstance(item, float):
            raise CorruptBlob(f"expected a number of a geometry, found {item!r}")
        numbers.append(item)
    return tuple(numbers)


def _big_integer(tree: Tree) -> int:
    # Hexadecimal: Python limits the length of decimal integers.
    if not isinstance(tree, str) or not re.fullmatch(r"-?[0-9a-f]+", tree):
        raise CorruptBlob("expected a hexadecimal integer")
    return int(tree, 16)
