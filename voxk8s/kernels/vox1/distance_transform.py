"""The exact Euclidean distance transform of a mask, and the bounding boxes that limit it.

Where the spacing along every axis is a multiple of some unit, squares of distances are integers,
exact in any arithmetic: the compiled `distances.c` beside this module computes them. At other
spacings, and if the package was built without a C compiler, edt computes them (Felzenszwalb &
Huttenlocher, Theory of Computing 2012), in three to five times the time. Both return the same bits
wherever both can be used.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final, NamedTuple, Protocol, TypeAlias

import edt
import numpy as np

from voxk8s.values import Float32Array, MaskArray

Box: TypeAlias = tuple[slice, ...]

_COMPILED: Final = "voxk8s.kernels.vox1._distances"
_EXACT: Final = 2**24
"""Integers below this are exact in float32."""


class _Grid(NamedTuple):
    """A grid of voxels: the spacing along every axis, x last, as multiples of a unit in mm."""

    steps: tuple[int, ...]
    unit: np.float32


class _Transform(Protocol):
    def __call__(self, target: MaskArray, inside: MaskArray | None, grid: _Grid) -> Float32Array:
        """Return the distances on a grid."""


def distance_transform(
    target: MaskArray, spacing: tuple[float, ...], inside: MaskArray | None = None
) -> Float32Array:
    """Return the distance in mm of every voxel to the nearest true voxel of `target`.

    There must be one. Both masks are 2-D or 3-D uint8 arrays of 0 and 1 of one shape, x last;
    `spacing` has x first. Distances are negative where `inside` is true, which must not overlap the
    target.
    """
    steps = tuple(reversed(spacing))
    grid = _grid(steps, target.shape)
    if grid is not None and _compiled is not None:
        return _compiled(target, inside, grid)
    away = np.equal(target, 0).view(np.uint8)
    # One thread: results must not depend on the number of threads.
    distance: Float32Array = edt.edtsq(
        away, anisotropy=grid.steps if grid else steps, black_border=False, parallel=1
    )
    np.sqrt(distance, out=distance)
    if grid is not None and grid.unit != 1:
        np.multiply(distance, grid.unit, out=distance)
    if inside is not None:
        np.negative(distance, out=distance, where=inside.view(np.bool_))
    return distance


def bounding_box(mask: MaskArray) -> Box | None:
    """Return the smallest box that contains all true voxels of a 0/1 array; None if it is empty."""
    box: list[slice] = []
    part = mask
    for axis in range(mask.ndim):
        # Each axis is searched within the box found so far.
        others = tuple(other for other in range(mask.ndim) if other != axis)
        hits = np.flatnonzero(np.bitwise_or.reduce(part, axis=others))
        if not hits.size:
            return None
        side = slice(int(hits[0]), int(hits[-1]) + 1)
        box.append(side)
        part = part[(slice(None),) * axis + (side,)]
    return tuple(box)


def grow_box(box: Box, by: Sequence[int], shape: Sequence[int]) -> Box:
    """Return a box grown by a number of voxels along each axis, clipped to an array of `shape`."""
    return tuple(
        slice(max(0, side.start - margin), min(extent, side.stop + margin))
        for side, margin, extent in zip(box, by, shape, strict=True)
    )


def _grid(steps: tuple[float, ...], shape: tuple[int, ...]) -> _Grid | None:
    """Return the grid of a spacing in mm; None if squares of distances are not exact in float32.

    Units other than a common step are powers of two, so that products with them are exact.
    """
    for unit in (steps[0] if len(set(steps)) == 1 else 1.0, 0.5, 0.25, 0.125):
        counts = tuple(step / unit for step in steps)
        if all(count.is_integer() for count in counts):
            sides = (size * count for size, count in zip(shape, counts, strict=True))
            if sum(side * side for side in sides) >= _EXACT:
                return None
            return _Grid(tuple(map(int, counts)), np.float32(unit))
    return None


def _load() -> _Transform | None:
    """Return the compiled transform; None if the package was built without it."""
    library = find_spec(_COMPILED)
    if library is None or library.origin is None:
        return None
    function = ctypes.CDLL(library.origin).voxk8s_distances
    mask, three = ctypes.c_void_p, ctypes.c_int32 * 3
    function.argtypes = [mask, mask, three, three, ctypes.c_float, ctypes.c_void_p]
    function.restype = ctypes.c_int

    def compiled(target: MaskArray, inside: MaskArray | None, grid: _Grid) -> Float32Array:
        target = np.ascontiguousarray(target)
        inside = None if inside is None else np.ascontiguousarray(inside)
        distance = np.empty(target.shape, np.float32)
        out_of_memory = function(
            target.ctypes.data,
            None if inside is None else inside.ctypes.data,
            three(*(1, *target.shape)[-3:]),
            three(*(1, *grid.steps)[-3:]),
            grid.unit,
            distance.ctypes.data,
        )
        if out_of_memory:
            raise MemoryError
        return distance

    return compiled


_compiled: Final = _load()
