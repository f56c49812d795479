"""Masks as bits, 64 voxels of a row in one word, and what compiled code computes on them.

A byte for each voxel is the form in which masks are stored, and which kernels of others get. An
eighth of that stays in the processor's cache: for 155x240x240 voxels, packing and unpacking take
1 ms each, a dilation by the box 0.4 ms, and components 1 to 6 ms. So kernels return masks as bits,
whose bytes are made when somebody needs them, and bits that were packed stay known.
"""

from __future__ import annotations

import ctypes
import weakref
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voxk8s.kernels.native.library import Float, Int, Int64, Pointer, address, extents, native
from voxk8s.read_only import is_read_only, read_only
from voxk8s.values import Array, Float32Array, Image, MaskArray, PackedMask

Box: TypeAlias = tuple[slice, ...]
Words: TypeAlias = NDArray[np.uint64]
Ball: TypeAlias = NDArray[np.int32]
"""A structuring element of rows along x, in ascending order of their reach.

Each row has its offsets along z and y, for the rows to both sides of the centre, and the voxels
that it reaches to either side of its middle, less than 64. With each voxel the element contains
those that are closer to the centre along any axis.
"""

WORD_BITS: Final = 64
_PART_VOXELS: Final = 1 << 18
NEIGHBOURS: Final = read_only(np.array([(z, y, 1) for z in (0, 1) for y in (0, 1)], np.int32))
"""The box of 3 x 3 x 3 voxels; in 2-D its middle plane."""

_pack: Final = native("pack", Pointer, Int64, Int64, Pointer)
_unpack: Final = native("unpack", Pointer, Int64, Int64, Pointer)
_complement: Final = native("complement", Pointer, Int64, Int64, Pointer)
_subtract: Final = native("subtract", Pointer, Pointer, Int64, Pointer)
_compare: Final = native("compare", Pointer, Int64, Int64, Int, Float, Float, Pointer)
_dilate: Final = native("dilate", Pointer, Pointer, Pointer, Int64, Int, Pointer)
_bounding_box: Final = native("bounding_box", Pointer, Pointer, Pointer)
_reconstruct: Final = native("reconstruct", Pointer, Pointer, Pointer, Int, Pointer)
_largest: Final = native("largest", Pointer, Pointer, Pointer)
_label: Final = native("label", Pointer, Pointer, Pointer)


_known: Final[dict[int, tuple[weakref.ref[Array], BitVolume]]] = {}
"""The bits of arrays that cannot be written to, by their identity, for as long as they live."""


class Comparison(IntEnum):
    """How a voxel compares with a number, or with two."""

    LESS = 0
    AT_MOST = 1
    EQUAL = 2
    AT_LEAST = 3
    MORE = 4
    BETWEEN = 5
    """At least the first and at most the second one."""


@dataclass(frozen=True, slots=True, eq=False)
class BitVolume:
    """A mask of two or three axes: `words` of shape (z, y, words of a row), never written to.

    The lowest bit of a word is its first voxel; bits beyond the end of a row are 0. All methods
    return volumes of the same shape, and those with another argument need one of it.
    """

    words: Words
    shape: tuple[int, ...]

    @classmethod
    def pack(cls, array: Array) -> BitVolume:
        """Pack an array of any type of numbers, true where not zero."""
        if array.dtype.itemsize != 1:
            array = np.not_equal(array, 0)
        voxels = np.ascontiguousarray(array)
        volume = cls(_empty(array.shape), array.shape)
        rows, width = volume._rows
        _pack(address(voxels), rows, width, address(volume.words))
        return volume

    @classmethod
    def compare(
        cls, array: Array, comparison: Comparison, low: np.float32, high: np.float32
    ) -> BitVolume:
        """Return where the numbers of an array, as float32, compare so; nowhere for NaN."""
        volume = cls(_empty(array.shape), array.shape)
        if not array.size:
            return volume
        lines = volume.words.reshape(len(array), -1)
        # Voxels of other types are converted in parts, which stay in the cache: as float32 all of
        # them may take four times the memory of the image.
        part = len(array) if array.dtype == np.float32 else _PART_VOXELS * len(array) // array.size
        for start in range(0, len(array), max(1, part)):
            chunk = slice(start, start + max(1, part))
            with np.errstate(over="ignore"):  # infinities are compared too
                values = array[chunk].astype(np.float32, "C", copy=False)
            _compare(
                address(values), values.size // array.shape[-1], array.shape[-1], comparison,
                low, high, address(lines[chunk]),
            )  # fmt: skip
        return volume

    @classmethod
    def border(cls, shape: tuple[int, ...]) -> BitVolume:
        """Return the voxels with the first or last index of an axis."""
        words = _empty(shape)
        if 0 in shape:
            return cls(words, shape)
        full, width = _full_row(shape[-1]), shape[-1]
        words[...] = 0
        words[..., 0] |= np.uint64(1)
        words[..., -1] |= np.uint64(1) << np.uint64((width - 1) % WORD_BITS)
        for faces in (words, words.swapaxes(0, 1))[3 - len(shape) :]:
            faces[0] = faces[-1] = full
        return cls(words, shape)

    def __reduce__(self) -> tuple[object, ...]:
        """Return how to make it in another process."""
        return _received, (self.words, self.shape)

    @property
    def nbytes(self) -> int:
        """Return the bytes of the words."""
        return self.words.nbytes

    def voxels(self) -> MaskArray:
        """Return the mask as bytes, 0 and 1."""
        voxels = np.empty(self.shape, np.uint8)
        rows, width = self._rows
        _unpack(address(self.words), rows, width, address(voxels))
        return voxels

    def __and__(self, other: BitVolume) -> BitVolume:
        """Return the voxels in both."""
        return self._with(np.bitwise_and(self.words, other.words))

    def __or__(self, other: BitVolume) -> BitVolume:
        """Return the voxels in one or both."""
        return self._with(np.bitwise_or(self.words, other.words))

    def __sub__(self, other: BitVolume) -> BitVolume:
        """Return the voxels that are in this mask and not in the other one."""
        words = np.empty_like(self.words)
        _subtract(address(self.words), address(other.words), words.size, address(words))
        return self._with(words)

    def __invert__(self) -> BitVolume:
        """Return the voxels that are not in the mask."""
        words = np.empty_like(self.words)
        _complement(address(self.words), *self._rows, address(words))
        return self._with(words)

    def __bool__(self) -> bool:
        """Whether any voxel is true."""
        return bool(self.words.any())

    def count(self) -> int:
        """Return the number of true voxels."""
        return int(np.bitwise_count(self.words).sum(dtype=np.int64))

    def dilate(self, ball: Ball) -> BitVolume:
        """Return the dilation by a ball of at least one row."""
        return self._dilate(ball, inverted=False)

    def erode(self, ball: Ball) -> BitVolume:
        """Return the erosion: what the dilation of the complement by the ball leaves."""
        return self._dilate(ball, inverted=True)

    def contour(self) -> BitVolume:
        """Return the voxels of the mask that have a neighbour in the image but not in the mask."""
        return self - self.erode(NEIGHBOURS)

    def reconstruct(self, seed: BitVolume, *, faces: bool = False) -> BitVolume:
        """Return the components with a voxel in `seed`.

        They are 26-connected (in 2-D 8-connected), or if `faces`, 6-connected (4-connected).
        """
        words = np.empty_like(self.words)
        _reconstruct(address(seed.words), address(self.words), self._size, faces, address(words))
        return self._with(words)

    def largest(self) -> BitVolume:
        """Return the 26-connected component with the most voxels; on a tie, all of that size."""
        words = np.empty_like(self.words)
        _largest(address(self.words), self._size, address(words))
        return self._with(words)

    def label(self) -> Float32Array:
        """Return the 26-connected components' numbers, from 1, in the order of first voxels."""
        labels = np.empty(self.shape, np.float32)
        _label(address(self.words), self._size, address(labels))
        return labels

    def bounding_box(self) -> Box | None:
        """Return the smallest box that contains all true voxels; None if there are none."""
        first, end = ends = np.empty((2, 3), np.int64)
        _bounding_box(address(self.words), self._size, address(ends))
        if not end.any():
            return None
        sides = zip(first.tolist(), end.tolist(), strict=True)
        return tuple(slice(*side) for side in sides)[-len(self.shape) :]

    def _dilate(self, ball: Ball, *, inverted: bool) -> BitVolume:
        words = np.empty_like(self.words)
        _dilate(address(self.words), self._size, address(ball), len(ball), inverted, address(words))
        return self._with(words)

    @property
    def _rows(self) -> tuple[int, int]:
        return self.words.shape[0] * self.words.shape[1], self.shape[-1]

    @property
    def _size(self) -> ctypes.Array[ctypes.c_int64]:
        return extents(self.shape)

    def _with(self, words: Words) -> BitVolume:
        return BitVolume(words, self.shape)


def _received(words: Words, shape: tuple[int, ...]) -> BitVolume:
    # In Dask's messages arrays begin at any byte, and each of them keeps a whole message in memory.
    return BitVolume(words.copy(), shape)


def known_bits(image: Image) -> BitVolume | None:
    """Return the bits of a mask, if they are known."""
    if isinstance(image, PackedMask) and isinstance(image.packed, BitVolume):
        return image.packed
    found = _known.get(id(image.array))
    return found[1] if found is not None and found[0]() is image.array else None


def keeps_bits(image: Image) -> bool:
    """Whether the bits of a mask are known, or will be known once they are packed."""
    return known_bits(image) is not None or is_read_only(image.array)


def bits_of(image: Image) -> BitVolume:
    """Return the bits of an image of one channel, true where not zero.

    Those of an array that cannot be written to are packed once, whatever uses it.
    """
    bits = known_bits(image)
    if bits is None:
        bits = BitVolume.pack(image.array)
        if is_read_only(image.array):
            _remember(image.array, bits)
    return bits


def _remember(array: Array, bits: BitVolume) -> None:
    key = id(array)

    def forget(reference: weakref.ref[Array]) -> None:
        found = _known.get(key)
        if found is not None and found[0] is reference:
            del _known[key]

    _known[key] = weakref.ref(array, forget), bits


def _empty(shape: tuple[int, ...]) -> Words:
    planes = shape[0] if len(shape) == 3 else 1
    return np.empty((planes, shape[-2], -(-shape[-1] // WORD_BITS)), np.uint64)


def _full_row(width: int) -> Words:
    row = np.full(-(-width // WORD_BITS), ~np.uint64(0))
    if width % WORD_BITS:
        row[-1] = (1 << width % WORD_BITS) - 1
    return row
