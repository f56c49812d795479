"""Balls as structuring elements of binary dilation, row by row.

A ball is a stack of rows, each symmetric about the centre, so a dilation is the union of the mask
dilated along x and shifted along y and z. On masks as bits that is many times faster than a
distance map of the same mask, unless the ball is large.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np

from voxk8s.kernels.bit_volume import WORD_BITS, Ball
from voxk8s.read_only import read_only

_MOST_ROWS: Final = 700
"""A ball of more rows may cost more than a distance map, in a small part of a volume as well."""
_LARGEST: Final = float(np.finfo(np.float32).max)
_ROUNDING: Final = 1e-5
"""Least relative difference of a distance from the radius with the same order in any rounding."""


@lru_cache(maxsize=64)
def ball_rows(
    r: np.float32, steps: tuple[float, ...], shape: tuple[int, ...], *, closed: bool
) -> Ball | None:
    """Return the ball of radius `r` > 0 in mm; None if a distance map is faster.

    `steps` is the spacing in mm and `shape` the shape of the volume, both with x last. A closed
    ball contains the voxels at a distance of exactly `r`. Distances are compared in float32, as
    those of a distance map: at isotropic spacing the root of an integer times the spacing. At other
    spacings the sum of squares is rounded, so the result is None if a voxel is so close to the
    surface that rounding decides.
    """
    unit = steps[0] if len(set(steps)) == 1 and steps[0] <= _LARGEST else None
    if len(steps) == 2:
        steps, shape = (1.0, *steps), (1, *shape)
    sides = [
        min(math.floor(min(float(r) / step, size)) + 1, size - 1)
        for step, size in zip(steps, shape, strict=True)
    ]
    if (sides[0] + 1) * (sides[1] + 1) > 2 * _MOST_ROWS or sides[2] >= WORD_BITS:
        return None
    z, y, x = (axis.astype(np.float64) for axis in np.ogrid[tuple(slice(n + 1) for n in sides)])
    if unit is not None:
        distance = np.sqrt((z * z + y * y + x * x).astype(np.float32)) * np.float32(unit)
    else:
        with np.errstate(over="ignore"):  # farther than any radius
            squares = (z * steps[0]) ** 2 + (y * steps[1]) ** 2 + (x * steps[2]) ** 2
            distance = np.sqrt(squares.astype(np.float32))
        clear = np.abs(np.sqrt(squares) - float(r)) > r * _ROUNDING
        if not all(step.is_integer() for step in steps) and not clear.all():
            return None
    inside = distance <= r if closed else distance < r
    counts = np.count_nonzero(inside, axis=2)
    z_offsets, y_offsets = np.nonzero(counts)
    if len(z_offsets) > _MOST_ROWS:
        return None
    reach = counts[z_offsets, y_offsets] - 1
    rows = np.stack([z_offsets, y_offsets, reach], axis=1).astype(np.int32)
    return read_only(rows[np.argsort(reach)])
