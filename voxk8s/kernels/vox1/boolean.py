"""Boolean operators on masks, voxel by voxel.

All take masks (true where not zero) and give uint8 masks of 0 and 1. Two images of different
geometry are a KernelError that names both. Two truth values (or numbers, true where not zero) give
a truth value; one truth value with a mask is taken for all voxels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.images import MaskArray, image_like
from voxk8s.kernels.text import describe
from voxk8s.kernels.vox1.operands import one_mask, two_masks
from voxk8s.values import Image, Value

_Operator: TypeAlias = Callable[[MaskArray | np.uint8, MaskArray | np.uint8], MaskArray]


def and_(a: Value, b: Value) -> Value:
    """Give the voxels that are in both (infix `&`)."""
    return _apply("and", np.bitwise_and, a, b)


def or_(a: Value, b: Value) -> Value:
    """Give the voxels that are in one or both (infix `|`)."""
    return _apply("or", np.bitwise_or, a, b)


def diff(a: Value, b: Value) -> Value:
    """Give the voxels that are in `a` and not in `b` (infix `\\`)."""  # noqa: D301 one backslash
    return _apply("diff", np.greater, a, b)


def not_(a: Value) -> Value:
    """Give the voxels that are not in `a` (prefix `!`)."""
    if isinstance(a, bool | int | float):
        return not a
    shape, mask = one_mask("not", a)
    return image_like(shape, np.equal(mask, 0).view(np.uint8))


def _apply(kernel: str, operator: _Operator, a: Value, b: Value) -> Value:
    if isinstance(a, Image) and isinstance(b, Image):
        shape, first, second = two_masks(kernel, a, b)
        return image_like(shape, operator(first, second).view(np.uint8))
    if isinstance(a, bool | int | float) and isinstance(b, bool | int | float):
        return bool(operator(np.uint8(bool(a)), np.uint8(bool(b))))
    if isinstance(a, Image) and isinstance(b, bool | int | float):
        shape, mask = one_mask(kernel, a)
        return image_like(shape, operator(mask, np.uint8(bool(b))).view(np.uint8))
    if isinstance(b, Image) and isinstance(a, bool | int | float):
        shape, mask = one_mask(kernel, b)
        return image_like(shape, operator(np.uint8(bool(a)), mask).view(np.uint8))
    raise KernelError(f"{kernel}: needs masks, not {describe(a)} and {describe(b)}")
