"""Boolean operators on masks, voxel by voxel.

All take masks (true where not zero) and give uint8 masks of 0 and 1. Two images of different
geometry are a KernelError that names both. Two truth values (or numbers, true where not zero) give
a truth value; one truth value with a mask is taken for all voxels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.images import check_geometry, image_like, scalar_image
from voxk8s.kernels.vox1.operands import one_mask
from voxk8s.values import Array, Image, Value

_Truth: TypeAlias = Array | np.bool_
_Operator: TypeAlias = Callable[[_Truth, _Truth], NDArray[np.bool_]]


def and_(a: Value, b: Value) -> Value:
    """Give the voxels that are in both (infix `&`)."""
    return _apply("and", np.logical_and, a, b)


def or_(a: Value, b: Value) -> Value:
    """Give the voxels that are in one or both (infix `|`)."""
    return _apply("or", np.logical_or, a, b)


def diff(a: Value, b: Value) -> Value:
    """Give the voxels that are in `a` and not in `b` (infix `\\`)."""  # noqa: D301 one backslash
    return _apply("diff", lambda x, y: np.logical_and(x, np.logical_not(y)), a, b)


def not_(a: Value) -> Value:
    """Give the voxels that are not in `a` (prefix `!`)."""
    if isinstance(a, bool | int | float):
        return not a
    shape, mask = one_mask("not", a)
    return image_like(shape, np.equal(mask, 0).view(np.uint8))


def _apply(kernel: str, operator: _Operator, a: Value, b: Value) -> Value:
    shapes = [scalar_image(kernel, value) for value in (a, b) if isinstance(value, Image)]
    if not all(isinstance(value, Image | bool | int | float) for value in (a, b)):
        raise KernelError(f"{kernel}: needs masks, not {describe(a)} and {describe(b)}")
    if len(shapes) == 2:
        check_geometry(kernel, *shapes)
    # Voxels as they are: these operators take what is not zero for true.
    truth = operator(_truth(a), _truth(b))
    if not shapes:
        return bool(truth)
    return image_like(shapes[0], truth.view(np.uint8))


def _truth(value: Value) -> _Truth:
    return value.array if isinstance(value, Image) else np.bool_(value)
