"""Checks of kernel arguments.

Each function returns an argument in the form that the kernel needs, or raises a KernelError that
names the kernel, what it expects and what it got. No function changes its argument; arrays that are
returned may belong to an argument and must not be written to.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from voxk8s.describe import describe, describe_geometry
from voxk8s.errors import KernelError
from voxk8s.kernels.bit_volume import BitVolume, bits_of
from voxk8s.kernels.images import mask_voxels, same_geometry
from voxk8s.values import Array, Image, MaskArray, Value

_INTEGER_LIMIT: Final = 2**63


def require_image(kernel: str, value: Value) -> Image:
    """Return an image with any number of channels."""
    if not isinstance(value, Image):
        raise KernelError(f"{kernel}: expected an image, got {describe(value)}")
    return value


def require_scalar_image(kernel: str, value: Value) -> Image:
    """Return an image with one channel."""
    image = require_image(kernel, value)
    if image.channels != 1:
        raise KernelError(
            f"{kernel}: expected an image with one channel, got {describe(image)};"
            " use intensity, red, green, blue or alpha to select one"
        )
    return image


def require_two_masks(kernel: str, a: Value, b: Value) -> tuple[Image, MaskArray, MaskArray]:
    """Return the first image and the voxels of both masks, which must have one geometry."""
    first, second = require_scalar_image(kernel, a), require_scalar_image(kernel, b)
    check_geometry(kernel, first, second)
    return first, mask_voxels(first), mask_voxels(second)


def require_bits(kernel: str, value: Value) -> tuple[Image, BitVolume]:
    """Return a mask: the image, and its voxels as bits."""
    image = require_scalar_image(kernel, value)
    return image, bits_of(image)


def require_two_bits(kernel: str, a: Value, b: Value) -> tuple[Image, BitVolume, BitVolume]:
    """Return the first image and the voxels of both masks as bits; they must have one geometry."""
    first, second = require_scalar_image(kernel, a), require_scalar_image(kernel, b)
    check_geometry(kernel, first, second)
    return first, bits_of(first), bits_of(second)


def require_image_and_mask(kernel: str, i: Value, m: Value) -> tuple[Image, MaskArray]:
    """Return an image with one channel and the voxels of a mask of the same geometry."""
    image, mask = require_scalar_image(kernel, i), require_scalar_image(kernel, m)
    check_geometry(kernel, image, mask)
    return image, mask_voxels(mask)


def check_geometry(kernel: str, first: Image, *others: Image, channels: bool = True) -> None:
    """Raise KernelError unless all images have one geometry and, if `channels`, one channel count.

    The message describes the first two images that differ.
    """
    for other in others:
        if not same_geometry(first, other) or (channels and first.channels != other.channels):
            raise KernelError(
                f"{kernel}: expected images of one geometry, got {describe_geometry(first)}"
                f" and {describe_geometry(other)}; resample one to the other"
            )


def require_number(kernel: str, value: Value) -> float:
    """Return a number or truth value as float; integers out of the range of float64 are errors."""
    if not isinstance(value, bool | int | float):
        raise KernelError(f"{kernel}: expected a number, got {describe(value)}")
    try:
        return float(value)
    except OverflowError:
        raise KernelError(f"{kernel}: {describe(value)} is out of the range of float64") from None


def require_float32(kernel: str, value: Value) -> np.float32:
    """Return a number in float32, infinite where out of its range."""
    with np.errstate(over="ignore"):
        return np.float32(require_number(kernel, value))


def require_integer(kernel: str, value: Value) -> int:
    """Return a number without fraction and below 2^63, an int or a float, as int."""
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < _INTEGER_LIMIT
    ):
        integer = int(value)
        if integer == value:
            return integer
    raise KernelError(f"{kernel}: expected a whole number, got {describe(value)}")


def require_sequence(kernel: str, value: Value) -> list[Value]:
    """Return the items of a sequence or of the first axis of an array."""
    if isinstance(value, list):
        return value
    if isinstance(value, np.ndarray) and value.ndim:
        items: list[Value] = value.tolist()
        return items
    raise KernelError(f"{kernel}: expected a sequence, got {describe(value)}")


def require_numbers(kernel: str, value: Value) -> list[float]:
    """Return the items of a sequence as floats: at least one, all of them numbers, none NaN."""
    items = require_sequence(kernel, value)
    if not items:
        raise KernelError(f"{kernel}: expected at least one item, got an empty sequence")
    numbers: list[float] = []
    for position, item in enumerate(items):
        if not isinstance(item, bool | int | float) or item != item:
            raise KernelError(
                f"{kernel}: expected numbers, got {describe(item)} as item {position}"
            )
        numbers.append(require_number(kernel, item))
    return numbers


def require_array(kernel: str, value: Value) -> Array:
    """Return the numbers of an image, an array or a sequence; those of a sequence in float64."""
    if isinstance(value, Image):
        return value.array
    if isinstance(value, list):
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise KernelError(
                f"{kernel}: expected a sequence of numbers, got {describe(value)} of different"
                " lengths or types"
            ) from error
        # numpy also makes arrays of strings, None, mappings and integers over 64 bits.
        if array.dtype.kind not in "buif":
            raise KernelError(
                f"{kernel}: expected a sequence of numbers, got {describe(value)} that are not all"
                " numbers of 64 bits or less"
            )
        return array.astype(np.float64)
    if isinstance(value, np.ndarray) and value.dtype.kind in "buif":
        return value
    raise KernelError(f"{kernel}: expected an image or an array of numbers, got {describe(value)}")


def require_two_arrays(kernel: str, a: Value, b: Value) -> tuple[Array, Array]:
    """Return the numbers of two arguments of one shape, not empty; images of one geometry."""
    if isinstance(a, Image) and isinstance(b, Image):
        check_geometry(kernel, a, b)
    first, second = require_array(kernel, a), require_array(kernel, b)
    if first.shape != second.shape:
        raise KernelError(
            f"{kernel}: expected arrays of one shape, got {first.shape} and {second.shape}"
        )
    if not first.size:
        raise KernelError(f"{kernel}: expected at least one element, got empty arrays")
    return first, second
