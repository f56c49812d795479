"""Cropping of images to a box of voxels."""

from __future__ import annotations

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_image, require_integer, require_sequence
from voxk8s.values import Image, Value


def extract(i: Value, size: Value, index: Value) -> Image:
    """Return the box of `size` voxels that begins at `index`; both in the order x, y[, z].

    The result keeps its dtype, channels and position in physical space. KernelError if the box is
    empty or exceeds the image, or if a number is not whole.
    """
    image = require_image("extract", i)
    extents = [require_integer("extract", item) for item in require_sequence("extract", size)]
    start = [require_integer("extract", item) for item in require_sequence("extract", index)]
    rank = image.dimension
    if len(extents) != rank or len(start) != rank:
        raise KernelError(
            f"extract: expected {rank} numbers in the order x, y, z for size and index, got"
            f" {len(extents)} and {len(start)}"
        )
    ends = [first + extent for first, extent in zip(start, extents, strict=True)]
    if (
        min(extents) < 1
        or min(start) < 0
        or any(end > whole for end, whole in zip(ends, image.size, strict=True))
    ):
        raise KernelError(
            f"extract: expected a box within the image of size {list(image.size)}, got the one of"
            f" size {extents} at {start}"
        )
    box = tuple(slice(a, b) for a, b in zip(reversed(start), reversed(ends), strict=True))
    cosines = np.array(image.direction).reshape(rank, rank)
    origin = np.array(image.origin) + cosines @ (np.array(start) * np.array(image.spacing))
    return Image(
        np.ascontiguousarray(image.array[box]),
        image.spacing,
        tuple(float(coordinate) for coordinate in origin),
        image.direction,
        image.channels,
    )
