"""The types of values: arguments and results of operations.

JSON scalars (`None`, bool, int, float, str), lists and string-keyed mappings of values, numpy
arrays, `Image`, and `SavedFile` (the result of a `save` goal).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voxk8s.read_only import read_only

Array: TypeAlias = NDArray[np.generic]
Float32Array: TypeAlias = NDArray[np.float32]
MaskArray: TypeAlias = NDArray[np.uint8]
"""Masks as arrays: 0 is false, 1 is true."""
Value: TypeAlias = (
    "bool | int | float | str | list[Value] | Mapping[str, Value] | Array | Image"
    " | SavedFile | None"
)

_unpacking: Final = threading.Lock()

_PACKED_FROM: Final = 5
"""The protocol of pickle from which on masks are packed."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An image: voxels, and their geometry in physical space.

    `array` has the axes (z, y, x) in 3-D and (y, x) in 2-D, and a last axis of channels when
    `channels` is not 1. `spacing` and `origin` are in mm and `direction` is the row-major
    matrix of cosines, all three in ITK's order (x, y[, z]). Masks are uint8 with 0 and 1.
    """

    array: Array
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    channels: int = 1

    @property
    def dimension(self) -> int:
        """Return the number of spatial axes, 2 or 3."""
        return len(self.spacing)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the array."""
        return self.array.shape

    @property
    def nbytes(self) -> int:
        """Return the bytes of the array."""
        return self.array.nbytes

    @property
    def size(self) -> tuple[int, ...]:
        """Return the number of voxels along x, y[, z]."""
        return tuple(reversed(self.shape[: self.dimension]))

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        """Masks are pickled as bits: an eighth of what workers send each other, and encrypt.

        Before protocol 5 nothing is packed: the digests of code that holds an image depend on it.
        """
        array = self.array
        if int(protocol) < _PACKED_FROM or array.dtype != np.uint8 or array.max(initial=0) > 1:
            return object.__reduce_ex__(self, protocol)
        geometry = (self.spacing, self.origin, self.direction, self.channels)
        return _unpack_mask, (np.packbits(array.view(np.uint8)), array.shape, *geometry)


class Packed(Protocol):
    """The voxels of a mask in another form, which never changes."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def nbytes(self) -> int: ...  # noqa: D102
    def voxels(self) -> MaskArray: ...  # noqa: D102


class PackedMask(Image):
    """A mask of one channel that has its voxels in another form: its array is made when needed.

    For everybody but kernels that know the form of `packed` it is an image as any other one.
    """

    __slots__ = ("_array", "packed")

    packed: Packed
    _array: Array | None

    @property  # type: ignore[misc]  # pickle asks for the class in this way
    def __class__(self) -> type[Image]:  # type: ignore[override]  # the same
        """Return the class that its text, its copies with other fields and its pickles have."""
        return Image

    def __init__(
        self,
        packed: Packed,
        spacing: tuple[float, ...],
        origin: tuple[float, ...],
        direction: tuple[float, ...],
    ) -> None:
        """Make a mask of this geometry."""
        for name, value in (
            ("spacing", spacing),
            ("origin", origin),
            ("direction", direction),
            ("channels", 1),
            ("packed", packed),
            ("_array", None),
        ):
            object.__setattr__(self, name, value)

    @property
    def array(self) -> Array:
        """Return the voxels as bytes, 0 and 1, which cannot be written to."""
        array = self._array
        if array is None:
            unpacked = read_only(self.packed.voxels())
            # Two threads may both unpack them. All get one array: some go by its identity.
            with _unpacking:
                array = self._array
                if array is None:
                    array = unpacked
                    object.__setattr__(self, "_array", array)
        return array

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the array, which need not be there yet."""
        return self.packed.shape

    @property
    def nbytes(self) -> int:
        """Return the bytes of the array, which need not be there yet."""
        return math.prod(self.packed.shape)

    @property
    def held_bytes(self) -> int:
        """Return the bytes of what there is now: its other form, and the array when it was made."""
        return self.packed.nbytes + (0 if self._array is None else self._array.nbytes)

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        """Workers send each other its other form as it is; else it is an image as any other one."""
        if int(protocol) < _PACKED_FROM:
            return self.unpacked().__reduce_ex__(protocol)
        return PackedMask, (self.packed, self.spacing, self.origin, self.direction)

    def unpacked(self) -> Image:
        """Return the same mask as an image of its array and nothing else."""
        return Image(self.array, self.spacing, self.origin, self.direction, self.channels)


def _unpack_mask(bits: MaskArray, shape: tuple[int, ...], *geometry: Any) -> Image:
    voxels = np.unpackbits(bits, count=math.prod(shape)).reshape(shape)
    # What kernels know of a mask they know as long as nobody can write to it.
    return Image(read_only(voxels), *geometry)


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A value encoded as a file.

    `suffix` includes the dot (`.nii.gz`), `media_type` is an IANA media type. The bytes are
    deterministic: files of equal values are equal.
    """

    data: bytes = field(repr=False)
    suffix: str
    media_type: str
