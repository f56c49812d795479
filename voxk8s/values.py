"""The types of values: arguments and results of operations.

JSON scalars (`None`, bool, int, float, str), lists and string-keyed mappings of values, numpy
arrays, `Image`, and `SavedFile` (the result of a `save` goal).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.generic]
Float32Array: TypeAlias = NDArray[np.float32]
MaskArray: TypeAlias = NDArray[np.uint8]
"""Masks as arrays: 0 is false, 1 is true."""
Value: TypeAlias = (
    "bool | int | float | str | list[Value] | Mapping[str, Value] | Array | Image"
    " | SavedFile | None"
)


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
    def size(self) -> tuple[int, ...]:
        """Return the number of voxels along x, y[, z]."""
        return tuple(reversed(self.array.shape[: self.dimension]))


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A value encoded as a file.

    `suffix` includes the dot (`.nii.gz`), `media_type` is an IANA media type. The bytes are
    deterministic: files of equal values are equal.
    """

    data: bytes = field(repr=False)
    suffix: str
    media_type: str
