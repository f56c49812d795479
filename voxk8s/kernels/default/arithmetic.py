"""Arithmetic over numbers, sequences and images.

Numbers are float64 whatever the form of the operands, so `5 + 3` and `5.0 + 3.0` are both `8.0`.
Sequences are taken item by item, against another sequence of the same length or against one value
for all items. Images are taken voxel by voxel in float32, integers converted first; two images
must have one geometry, else KernelError names both. In images division follows IEEE 754
(infinities, NaN); between numbers division by zero is a KernelError, as is a result beyond
float64. Truth values count as 0 and 1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.default.sequences import items_of
from voxk8s.kernels.images import as_float32, check_geometry, float32_number, image_like
from voxk8s.values import Float32Array, Image, Value

_OnNumbers: TypeAlias = Callable[[float, float], float]
_OnArrays: TypeAlias = Callable[
    [Float32Array | np.float32, Float32Array | np.float32], Float32Array
]


def addition(a: Value, b: Value) -> Value:
    """Give a + b over numbers, sequences and images; see the module's text."""
    return _apply("addition", operator.add, np.add, a, b)


def subtraction(a: Value, b: Value) -> Value:
    """Give a - b over numbers, sequences and images; see the module's text."""
    return _apply("subtraction", operator.sub, np.subtract, a, b)


def multiplication(a: Value, b: Value) -> Value:
    """Give a * b over numbers, sequences and images; see the module's text."""
    return _apply("multiplication", operator.mul, np.multiply, a, b)


def division(a: Value, b: Value) -> Value:
    """Give a / b over numbers, sequences and images; see the module's text."""
    return _apply("division", operator.truediv, np.divide, a, b)


def floor(a: Value) -> Value:
    """Give the largest whole number not above `a`: int of a number, float32 of an image.

    Sequences are taken item by item.
    """
    if isinstance(a, Image):
        return image_like(a, np.floor(as_float32(a)))
    if isinstance(a, list | np.ndarray):
        return [floor(item) for item in items_of("floor", a)]
    if isinstance(a, int):
        return int(a)
    if isinstance(a, float):
        if not math.isfinite(a):
            raise KernelError(f"floor: {a} has no whole number below it")
        return math.floor(a)
    raise KernelError(f"floor: cannot work on {describe(a)}")


def _apply(name: str, numbers: _OnNumbers, arrays: _OnArrays, a: Value, b: Value) -> Value:
    if isinstance(a, bool | int | float) and isinstance(b, bool | int | float):
        return _scalar(name, numbers, a, b)
    if isinstance(a, Image) or isinstance(b, Image):
        if isinstance(a, list) or isinstance(b, list):
            return _items(name, numbers, arrays, a, b)
        return _images(name, arrays, a, b)
    if isinstance(a, list) or isinstance(b, list):
        return _items(name, numbers, arrays, a, b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return _apply(name, numbers, arrays, _unpacked(a), _unpacked(b))
    raise KernelError(f"{name}: cannot work on {describe(a)} and {describe(b)}")


def _scalar(name: str, numbers: _OnNumbers, a: float, b: float) -> float:
    try:
        result = float(numbers(float(a), float(b)))
    except ZeroDivisionError as error:
        raise KernelError(f"{name}: {a} by {b}: division by zero") from error
    except OverflowError as error:
        raise KernelError(f"{name}: {a} and {b}: too large a number") from error
    if not math.isfinite(result) and math.isfinite(a) and math.isfinite(b):
        raise KernelError(f"{name}: {a} and {b}: the result is too large a number")
    return result


def _items(name: str, numbers: _OnNumbers, arrays: _OnArrays, a: Value, b: Value) -> Value:
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            raise KernelError(f"{name}: sequences of {len(a)} and {len(b)} items")
        return [_apply(name, numbers, arrays, x, y) for x, y in zip(a, b, strict=True)]
    if isinstance(a, list):
        return [_apply(name, numbers, arrays, x, b) for x in a]
    assert isinstance(b, list)  # noqa: S101 the caller saw a list
    return [_apply(name, numbers, arrays, a, y) for y in b]


def _images(name: str, arrays: _OnArrays, a: Value, b: Value) -> Image:
    shape: Image
    left: Float32Array | np.float32
    right: Float32Array | np.float32
    if isinstance(a, Image) and isinstance(b, Image):
        check_geometry(name, a, b)
        shape, left, right = a, as_float32(a), as_float32(b)
    elif isinstance(a, Image) and isinstance(b, bool | int | float):
        shape, left, right = a, as_float32(a), float32_number(name, b)
    elif isinstance(b, Image) and isinstance(a, bool | int | float):
        shape, left, right = b, float32_number(name, a), as_float32(b)
    else:
        raise KernelError(f"{name}: cannot work on {describe(a)} and {describe(b)}")
    with np.errstate(all="ignore"):  # IEEE 754: infinities and NaN are results, not accidents
        return image_like(shape, arrays(left, right))


def _unpacked(value: Value) -> Value:
    if isinstance(value, np.ndarray):
        unpacked: Value = value.tolist()
        return unpacked
    return value
