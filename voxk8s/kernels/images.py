"""Images in kernels: results on the same grid, voxels as float32 or mask, equal geometry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from voxk8s.kernels.allocator import keep_freed_memory
from voxk8s.kernels.bit_volume import BitVolume
from voxk8s.values import Array, Float32Array, Image, MaskArray, PackedMask

keep_freed_memory()  # kernels on images allocate and free arrays of megabytes all the time

GEOMETRY_TOLERANCE: Final = 1e-5
"""Largest difference of spacing, origin or direction (in mm or cosines) within one geometry."""


def image_like(image: Image, array: Array, channels: int | None = None) -> Image:
    """Return an image of the voxels `array` with the spacing, origin and direction of `image`."""
    return Image(
        array,
        image.spacing,
        image.origin,
        image.direction,
        image.channels if channels is None else channels,
    )


def mask_like(image: Image, mask: BitVolume) -> Image:
    """Return a mask with the spacing, origin and direction of `image`."""
    return PackedMask(mask, image.spacing, image.origin, image.direction)


def as_float32(image: Image) -> Float32Array:
    """Return the voxels in float32, without a copy if they are; infinite where out of its range."""
    if image.array.dtype.kind != "f" or image.array.dtype.itemsize <= 4:
        return image.array.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        return image.array.astype(np.float32)


def mask_voxels(image: Image) -> MaskArray:
    """Return the voxels of an image with one channel as uint8: 1 where not zero, 0 elsewhere."""
    array = image.array
    if isinstance(image, PackedMask):
        return array.view(np.uint8)
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    truth: MaskArray = np.not_equal(array, 0).view(np.uint8)
    return truth


def invert_mask(mask: Array) -> MaskArray:
    """Return 1 where an array is 0, and 0 elsewhere."""
    inverted: MaskArray = np.equal(mask, 0).view(np.uint8)
    return inverted


class Geometry(Protocol):
    """What images have in common that may be combined; see `Image`."""

    @property
    def size(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def spacing(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def origin(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def direction(self) -> tuple[float, ...]: ...  # noqa: D102


def same_geometry(a: Geometry, b: Geometry) -> bool:
    """Return whether two images have one size, spacing, origin and direction, within 1e-5."""
    return (
        a.size == b.size
        and _close(a.spacing, b.spacing)
        and _close(a.origin, b.origin)
        and _close(a.direction, b.direction)
    )


def _close(a: Sequence[float], b: Sequence[float]) -> bool:
    return len(a) == len(b) and all(
        abs(x - y) <= GEOMETRY_TOLERANCE for x, y in zip(a, b, strict=True)
    )
