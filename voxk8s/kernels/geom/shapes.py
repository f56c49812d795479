"""Blank 2-D images, and shapes drawn into them.

Lengths and places are in pixels, x along a row and y down; values are float32. Drawing returns a
new image; what is outside of the image is cut off. The rules of which pixels are inside are those
of VoxLogicA 2.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_integer, require_number, require_scalar_image
from voxk8s.kernels.images import as_float32, image_like
from voxk8s.values import Image, Value

MOST_PIXELS: Final = 2**28
_LEAST_SIDES: Final = 3
_SMALLEST: Final = 1e-9


def blank(height: Value, width: Value, value: Value = 0.0) -> Image:
    """Return an image of `height` rows of `width` pixels with one value, spacing 1 and origin 0.

    KernelError for sides below 1, and for more than 2^28 pixels.
    """
    rows, columns = (require_integer("blank", side) for side in (height, width))
    if rows < 1 or columns < 1 or rows * columns > MOST_PIXELS:
        raise KernelError(
            f"blank: expected a height and a width from 1 on with at most {MOST_PIXELS} pixels, got"
            f" {rows} and {columns}"
        )
    array = np.full((rows, columns), require_number("blank", value), np.float32)
    return Image(array, (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))


def circle(i: Value, x: Value, y: Value, radius: Value, value: Value) -> Image:
    """Return the image with `value` where the distance to (x, y) is at most `radius`."""
    image, right, down, length = _place("circle", i, x, y, radius)
    return _drawn("circle", image, right**2 + down**2 <= length**2, value)


def regular_polygon(
    i: Value, x: Value, y: Value, radius: Value, sides: Value, value: Value
) -> Image:
    """Return the image with `value` inside a regular polygon around (x, y).

    `radius` is that of its corners, one of which is at the left; KernelError for fewer than 3
    sides.
    """
    image, right, down, length = _place("regular_polygon", i, x, y, radius)
    count = require_integer("regular_polygon", sides)
    if count < _LEAST_SIDES:
        raise KernelError(f"regular_polygon: expected at least 3 sides, got {count}")
    sector = 2 * np.pi / count
    folded = np.mod(np.arctan2(down, right) + np.pi, sector) - sector / 2
    limit = length * np.cos(sector / 2) / np.maximum(np.cos(folded), _SMALLEST)
    return _drawn("regular_polygon", image, np.hypot(right, down) <= limit, value)


def _place(
    kernel: str, i: Value, x: Value, y: Value, radius: Value
) -> tuple[Image, NDArray[np.float64], NDArray[np.float64], int]:
    """Return an image, the offsets of its pixels from a place, and the radius."""
    image = require_scalar_image(kernel, i)
    if image.dimension != 2:
        raise KernelError(f"{kernel}: expected a 2-D image, got one of size {list(image.size)}")
    column, row, length = (require_integer(kernel, each) for each in (x, y, radius))
    if length < 1:
        raise KernelError(f"{kernel}: expected a radius from 1 on, got {length}")
    rows, columns = image.array.shape
    right = np.arange(columns, dtype=np.float64)[np.newaxis, :] - column
    down = np.arange(rows, dtype=np.float64)[:, np.newaxis] - row
    return image, right, down, length


def _drawn(kernel: str, image: Image, inside: NDArray[np.bool_], value: Value) -> Image:
    array = as_float32(image).copy()
    array[inside] = require_number(kernel, value)
    return image_like(image, array)
