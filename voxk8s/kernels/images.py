"""What kernels ask of images: one channel, float32, masks, one geometry.

None of these changes an image that it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from voxk8s.describe import describe, describe_geometry
from voxk8s.errors import KernelError
from voxk8s.kernels.allocator import keep_freed_memory
from voxk8s.values import Array, Float32Array, Image, MaskArray, Value

keep_freed_memory()  # whoever works on images allocates and frees them by the hundred

GEOMETRY_TOLERANCE: Final = 1e-5
"""Largest difference of spacing, origin or direction that still is one geometry."""


def image_like(image: Image, array: Array, channels: int | None = None) -> Image:
    """Make an image of new voxels that lies where `image` lies."""
    return Image(
        array,
        image.spacing,
        image.origin,
        image.direction,
        image.channels if channels is None else channels,
    )


def as_float32(image: Image) -> Float32Array:
    """Give the voxels in float32, infinite where they are beyond it; the array itself if it is."""
    if image.array.dtype != np.float64:
        return image.array.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        return image.array.astype(np.float32)


def require_image(kernel: str, value: Value) -> Image:
    """Give an image of any number of channels; raises KernelError otherwise."""
    if not isinstance(value, Image):
        raise KernelError(f"{kernel}: needs an image, not {describe(value)}")
    return value


def scalar_image(kernel: str, value: Value) -> Image:
    """Give an image of one channel; raises KernelError otherwise."""
    image = require_image(kernel, value)
    if image.channels != 1:
        raise KernelError(
            f"{kernel}: needs an image of one channel, not {describe(image)};"
            " take its intensity or one of its channels first"
        )
    return image


def as_mask(kernel: str, value: Value) -> MaskArray:
    """Give a mask's voxels as uint8 0 and 1: true where not zero.

    The result may be the image's own array: it must not be written to.
    """
    array = scalar_image(kernel, value).array
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    truth: MaskArray = np.not_equal(array, 0).view(np.uint8)
    return truth


def check_geometry(kernel: str, first: Image, *others: Image) -> None:
    """Raise KernelError naming both images unless all have one geometry and channel count."""
    for other in others:
        if not same_geometry(first, other) or first.channels != other.channels:
            raise KernelError(
                f"{kernel}: the images differ: {describe_geometry(first)}"
                f" and {describe_geometry(other)}; resample one to the other"
            )


def same_geometry(a: Image, b: Image) -> bool:
    """Tell whether two images have one size, spacing, origin and direction (within 1e-5)."""
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


def number(kernel: str, value: Value) -> float:
    """Give a number as float; raises KernelError otherwise, and for an integer beyond float64."""
    if not isinstance(value, bool | int | float):
        raise KernelError(f"{kernel}: needs a number, not {describe(value)}")
    try:
        return float(value)
    except OverflowError:
        raise KernelError(f"{kernel}: {describe(value)} is beyond float64") from None


def float32_number(kernel: str, value: Value) -> np.float32:
    """Give a number in float32, infinite when it is beyond; KernelError as `number`."""
    with np.errstate(over="ignore"):
        return np.float32(number(kernel, value))
