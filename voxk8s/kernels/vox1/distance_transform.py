"""The exact Euclidean distance transform of a mask.

Where the spacing along every axis is a multiple of some unit, squares of distances are integers,
exact in any arithmetic; at other spacings they are float64.
"""

from __future__ import annotations

import ctypes
from typing import Final, NamedTuple

import numpy as np

from voxk8s.kernels.native.library import Float, Pointer, address, native, short_extents
from voxk8s.values import Float32Array, MaskArray

_EXACT: Final = 2**24
"""Integers below this are exact in float32."""
_LEAST: Final = float(np.finfo(np.float32).smallest_normal)
_MOST: Final = float(np.finfo(np.float32).max)
_on_grid: Final = native("distances_on_grid", Pointer, Pointer, Pointer, Pointer, Float, Pointer)
_at_any_spacing: Final = native("distances", Pointer, Pointer, Pointer, Pointer, Pointer)


class Grid(NamedTuple):
    """A grid of voxels: the spacing along every axis, x last, as multiples of a unit in mm."""

    steps: tuple[int, ...]
    unit: float


def distance_transform(
    target: MaskArray, spacing: tuple[float, ...], inside: MaskArray | None = None
) -> Float32Array:
    """Return the distance in mm of every voxel to the nearest true voxel of `target`.

    There must be one. Both masks are 2-D or 3-D uint8 arrays of 0 and 1 of one shape, x last;
    `spacing` has x first. Distances are negative where `inside` is true, which must not overlap the
    target.
    """
    steps = tuple(reversed(spacing))
    size = short_extents(target.shape)
    target = np.ascontiguousarray(target)
    inside = None if inside is None else np.ascontiguousarray(inside)
    masks = address(target), None if inside is None else address(inside)
    distance = np.empty(target.shape, np.float32)
    grid = exact_grid(steps, target.shape)
    if grid is not None:
        whole = (ctypes.c_int32 * 3)(*(1, *grid.steps)[-3:])
        _on_grid(*masks, size, whole, grid.unit, address(distance))
    else:
        real = (ctypes.c_double * 3)(*(1.0, *steps)[-3:])
        _at_any_spacing(*masks, size, real, address(distance))
    return distance


def exact_grid(steps: tuple[float, ...], shape: tuple[int, ...]) -> Grid | None:
    """Return the grid of a spacing in mm; None if squares of distances are not exact in float32.

    Units other than a common step are powers of two, so that products with them are exact.
    """
    if not all(_LEAST <= step <= _MOST for step in steps):
        return None
    for unit in (steps[0] if len(set(steps)) == 1 else 1.0, 0.5, 0.25, 0.125):
        counts = tuple(step / unit for step in steps)
        if all(count.is_integer() for count in counts):
            sides = (size * count for size, count in zip(shape, counts, strict=True))
            if sum(side * side for side in sides) >= _EXACT:
                return None
            return Grid(tuple(map(int, counts)), unit)
    return None
