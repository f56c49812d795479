"""Balls as structuring elements of binary dilation, row by row.

A ball is a stack of rows, each symmetric about the centre, so a dilation is the union of the mask
dilated along x and shifted along y and z. On masks as bits that is, for a small ball, many times
faster than a distance map of the same mask.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from voxk8s.kernels.bit_volume import WORD_BITS

_MOST_ROWS: Final = 500
"""A ball of more rows costs more than a distance map."""
_LARGEST: Final = float(np.finfo(np.float32).max)
_ROUNDING: Final = 1e-5
"""Least relative difference of a distance from the radius with the same order in any rounding."""


class Row(NamedTuple):
    """A row of a ball: its offset from the centre, and the voxels to either side of its middle."""

    z: int
    y: int
    reach: int


def ball_rows(
    r: np.float32, steps: tuple[float, ...], shape: tuple[int, ...], *, closed: bool
) -> list[Row] | None:
    """Return the rows of the ball of radius `r` > 0 in mm; None if a distance map is faster.

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
    if (2 * sides[0] + 1) * (2 * sides[1] + 1) > 2 * _MOST_ROWS or sides[2] >= WORD_BITS:
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
    rows = [
        Row(int(dz) * z_sign, int(dy) * y_sign, int(counts[dz, dy]) - 1)
        for dz, dy in zip(*np.nonzero(counts), strict=True)
        for z_sign in ((1, -1) if dz else (1,))
        for y_sign in ((1, -1) if dy else (1,))
    ]
    return rows if len(rows) <= _MOST_ROWS else None
