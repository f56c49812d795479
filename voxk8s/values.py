"""The values that operations take and give.

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
"""Truth values as 0 and 1."""
Value: TypeAlias = (
    "bool | int | float | str | list[Value] | Mapping[str, Value] | Array | Image"
    " | SavedFile | None"
)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An image: voxels and where they lie in the world.

    `array` has axes (z, y, x) in 3-D and (y, x) in 2-D, with one more axis of channels at the end
    when `channels` is not 1. `spacing` and `origin` are in mm and `direction` is the row-major
    matrix of cosines, all three in ITK's order (x, y[, z]). Masks are uint8 with 0 and 1.
    """

    array: Array
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    channels: int = 1

    @property
    def dimension(self) -> int:
        """Number of spatial axes, 2 or 3."""
        return len(self.spacing)

    @property
    def size(self) -> tuple[int, ...]:
        """Voxels along x, y[, z]."""
        return tuple(reversed(self.array.shape[: self.dimension]))


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A value encoded as a file.

    `suffix` has its dot (`.nii.gz`), `media_type` is an IANA type; the bytes are deterministic, so
    equal values give equal files.
    """

    data: bytes = field(repr=False)
    suffix: str
    media_type: str
