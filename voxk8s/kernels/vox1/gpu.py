"""Thresholds and boolean operators on a GPU, by CuPy; the same bits as on the CPU.

Only operations whose result is exact are here: comparisons and logic. Images come from the host
and go back to it with each operation.
"""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np

from voxk8s.kernels.images import image_like, number, scalar_image
from voxk8s.kernels.vox1.operands import one_mask, two_masks
from voxk8s.values import Image, Value


def geq_sv(v: Value, i: Value) -> Image:
    """Give where `i >= v`."""
    return _compare("geq_sv", cupy.greater_equal, v, i)


def leq_sv(v: Value, i: Value) -> Image:
    """Give where `i <= v`."""
    return _compare("leq_sv", cupy.less_equal, v, i)


def gt_sv(v: Value, i: Value) -> Image:
    """Give where `i > v`."""
    return _compare("gt_sv", cupy.greater, v, i)


def lt_sv(v: Value, i: Value) -> Image:
    """Give where `i < v`."""
    return _compare("lt_sv", cupy.less, v, i)


def eq_sv(v: Value, i: Value) -> Image:
    """Give where `i = v`."""
    return _compare("eq_sv", cupy.equal, v, i)


def and_(a: Value, b: Value) -> Value:
    """Give the voxels that are in both."""
    return _combine("and", cupy.bitwise_and, a, b)


def or_(a: Value, b: Value) -> Value:
    """Give the voxels that are in one or both."""
    return _combine("or", cupy.bitwise_or, a, b)


def not_(a: Value) -> Value:
    """Give the voxels that are not in `a`."""
    if not isinstance(a, Image):
        from voxk8s.kernels.vox1 import boolean

        return boolean.not_(a)
    shape, mask = one_mask("not", a)
    return _back(shape, cupy.equal(cupy.asarray(mask), 0))


def _compare(kernel: str, operator: Any, v: Value, i: Value) -> Image:
    image = scalar_image(kernel, i)
    with np.errstate(over="ignore"):
        value = np.float32(number(kernel, v))
    return _back(image, operator(cupy.asarray(image.array).astype(cupy.float32), value))


def _combine(kernel: str, operator: Any, a: Value, b: Value) -> Value:
    if not isinstance(a, Image) or not isinstance(b, Image):
        from voxk8s.kernels.vox1 import boolean

        return {"and": boolean.and_, "or": boolean.or_}[kernel](a, b)
    shape, first, second = two_masks(kernel, a, b)
    return _back(shape, operator(cupy.asarray(first), cupy.asarray(second)))


def _back(shape: Image, array: Any) -> Image:
    return image_like(shape, cupy.asnumpy(array.astype(cupy.uint8)))
