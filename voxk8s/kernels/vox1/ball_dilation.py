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
from voxk8s.kernels.vox1.distance_transform import exact_grid
from voxk8s.read_only import read_only

_MOST_ROWS: Final = 700
"""A ball of more rows may cost more than a distance map, in a small part of a volume as well."""
_ROUNDING: Final = 1e-12
"""Least relative difference of float64 distances with the same order in any rounding."""


@lru_cache(maxsize=64)
def ball_rows(
    r: np.float32, steps: tuple[float, ...], shape: tuple[int, ...], *, closed: bool
) -> Ball | None:
    """Return the ball of radius `r` > 0 in mm; None if a distance map is faster.

    `steps` is the spacing in mm and `shape` the shape of the volume, both with x last. A closed
    ball contains the voxels at a distance of exactly `r`. Distances are compared in float32, as
    those of a distance map: on an exact grid the root of an integer times the unit, else rounded
    from float64. The result is None if a voxel is so close to where that is rounded to `r` that the
    order of the additions decides.
    """
    grid = exact_grid(steps, shape)
    if len(steps) == 2:
        steps, shape = (1.0, *steps), (1, *shape)
    sides = [
        min(math.floor(min(float(r) / step, size)) + 1, size - 1)
        for step, size in zip(steps, shape, strict=True)
    ]
    if (sides[0] + 1) * (sides[1] + 1) > 2 * _MOST_ROWS or sides[2] >= WORD_BITS:
        return None
    z, y, x = (axis.astype(np.float64) for axis in np.ogrid[tuple(slice(n + 1) for n in sides)])
    scale = (1, *grid.steps)[-3:] if grid is not None else steps
    with np.errstate(over="ignore"):  # farther than any radius
        distance = np.sqrt((z * scale[0]) ** 2 + (y * scale[1]) ** 2 + (x * scale[2]) ** 2)
    if grid is not None:
        distance = distance.astype(np.float32) * np.float32(grid.unit)
        inside = distance <= r if closed else distance < r
    else:
        # Half the way to the next number of float32.
        surface = (float(r) + float(np.nextafter(r, np.float32(math.inf if closed else 0)))) / 2
        inside = distance < surface
        if (np.abs(distance - surface) <= surface * _ROUNDING).any():
            return None
    counts = np.count_nonzero(inside, axis=2)
    z_offsets, y_offsets = np.nonzero(counts)
    if len(z_offsets) > _MOST_ROWS:
        return None
    reach = counts[z_offsets, y_offsets] - 1
    rows = np.stack([z_offsets, y_offsets, reach], axis=1).astype(np.int32)
    return read_only(rows[np.argsort(reach)])
