"""The exact Euclidean distance transform of a mask.

Where the spacing is a whole number of some unit along every axis, squares of distances are whole
numbers, exact in any arithmetic: the compiled `distances.c` beside this module finds them. At other
spacing, and where no C compiler was at hand when the package was built, edt does (Felzenszwalb &
Huttenlocher, Theory of Computing 2012), in three to five times the time. Both give the same bits
wherever both can be used.
"""

from __future__ import annotations

import ctypes
from importlib.util import find_spec
from typing import Final, NamedTuple, Protocol

import edt
import numpy as np

from voxk8s.values import Float32Array, MaskArray

_COMPILED: Final = "voxk8s.kernels.vox1._distances"
_EXACT: Final = 2**24
"""Whole numbers below this are float32 numbers."""


class _Grid(NamedTuple):
    """Where voxels lie: the step along every axis, x last, in whole numbers of a unit in mm."""

    steps: tuple[int, ...]
    unit: np.float32


class _Transform(Protocol):
    def __call__(self, target: MaskArray, inside: MaskArray | None, grid: _Grid) -> Float32Array:
        """Give the distances on a grid."""


def distances(
    target: MaskArray, spacing: tuple[float, ...], inside: MaskArray | None = None
) -> Float32Array:
    """Give the distance in mm of every voxel to the nearest true one of `target`, which must exist.

    Both masks are 2-D or 3-D uint8 arrays of one shape, 0 or 1, x last; `spacing` has x first. The
    distance is negative where `inside`, which no voxel of the target is, is true.
    """
    steps = tuple(reversed(spacing))
    grid = _grid(steps, target.shape)
    if grid is not None and _compiled is not None:
        return _compiled(target, inside, grid)
    away = np.equal(target, 0).view(np.uint8)
    # One thread: results must not depend on how many there are.
    distance: Float32Array = edt.edtsq(
        away, anisotropy=grid.steps if grid else steps, black_border=False, parallel=1
    )
    np.sqrt(distance, out=distance)
    if grid is not None and grid.unit != 1:
        np.multiply(distance, grid.unit, out=distance)
    if inside is not None:
        np.negative(distance, out=distance, where=inside.view(np.bool_))
    return distance


def _grid(steps: tuple[float, ...], shape: tuple[int, ...]) -> _Grid | None:
    """Give the grid of steps in mm; None if there is none on which float32 squares are exact.

    Units apart from a common step are powers of two, by which a product is exact as well.
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
    """Return the compiled transform, None where the package was built without."""
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
        missing = function(
            target.ctypes.data,
            None if inside is None else inside.ctypes.data,
            three(*(1, *target.shape)[-3:]),
            three(*(1, *grid.steps)[-3:]),
            grid.unit,
            distance.ctypes.data,
        )
        if missing:
            raise MemoryError
        return distance

    return compiled


_compiled: Final = _load()
