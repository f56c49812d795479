"""Arithmetic on numbers, sequences and images.

The result of numbers is float64, also for integers: `5 + 3` and `5.0 + 3.0` are both `8.0`. Two
sequences of one length are combined item by item, a sequence and another value for each item.
Images are combined voxel by voxel in float32; two images must have one geometry, else KernelError.
Division of images follows IEEE 754 (infinities, NaN); division of numbers by zero is a KernelError,
as is a result out of the range of float64. Truth values are 0 and 1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import check_geometry, require_float32, require_sequence
from voxk8s.kernels.images import as_float32, image_like
from voxk8s.values import Float32Array, Image, Value

_OnNumbers: TypeAlias = Callable[[float, float], float]
_OnArrays: TypeAlias = Callable[
    [Float32Array | np.float32, Float32Array | np.float32], Float32Array
]


def addition(a: Value, b: Value) -> Value:
    """Return a + b of numbers, sequences or images."""
    return _apply("addition", operator.add, np.add, a, b)


def subtraction(a: Value, b: Value) -> Value:
    """Return a - b of numbers, sequences or images."""
    return _apply("subtraction", operator.sub, np.subtract, a, b)


def multiplication(a: Value, b: Value) -> Value:
    """Return a * b of numbers, sequences or images."""
    return _apply("multiplication", operator.mul, np.multiply, a, b)


def division(a: Value, b: Value) -> Value:
    """Return a / b of numbers, sequences or images."""
    return _apply("division", operator.truediv, np.divide, a, b)


def floor(a: Value) -> Value:
    """Return the largest whole number <= `a`: an int for a number, float32 for an image.

    Sequences are processed item by item. KernelError for infinities and NaN.
    """
    if isinstance(a, Image):
        return image_like(a, np.floor(as_float32(a)))
    if isinstance(a, list | np.ndarray):
        return [floor(item) for item in require_sequence("floor", a)]
    if isinstance(a, int):
        return int(a)
    if isinstance(a, float):
        if not math.isfinite(a):
            raise KernelError(f"floor: expected a finite number, got {a}")
        return math.floor(a)
    raise KernelError(f"floor: expected a number, a sequence or an image, got {describe(a)}")


def _apply(name: str, numbers: _OnNumbers, arrays: _OnArrays, a: Value, b: Value) -> Value:
    if isinstance(a, bool | int | float) and isinstance(b, bool | int | float):
        return _scalar(name, numbers, a, b)
    if isinstance(a, list) or isinstance(b, list):
        return _items(name, numbers, arrays, a, b)
    if isinstance(a, Image) or isinstance(b, Image):
        return _images(name, arrays, a, b)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return _apply(name, numbers, arrays, _to_list(a), _to_list(b))
    raise _type_error(name, a, b)


def _scalar(name: str, numbers: _OnNumbers, a: float, b: float) -> float:
    try:
        result = float(numbers(float(a), float(b)))
    except ZeroDivisionError as error:
        raise KernelError(f"{name}: division by zero: {a} / {b}") from error
    except OverflowError as error:
        raise KernelError(
            f"{name}: {describe(a)} or {describe(b)} is too large for float64"
        ) from error
    if not math.isfinite(result) and math.isfinite(a) and math.isfinite(b):
        raise KernelError(f"{name}: the result for {a} and {b} is too large for float64")
    return result


def _items(name: str, numbers: _OnNumbers, arrays: _OnArrays, a: Value, b: Value) -> Value:
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            raise KernelError(
                f"{name}: expected sequences of one length, got {len(a)} and {len(b)} items"
            )
        return [_apply(name, numbers, arrays, x, y) for x, y in zip(a, b, strict=True)]
    if isinstance(a, list):
        return [_apply(name, numbers, arrays, x, b) for x in a]
    assert isinstance(b, list)  # noqa: S101 the caller has checked it
    return [_apply(name, numbers, arrays, a, y) for y in b]


def _images(name: str, arrays: _OnArrays, a: Value, b: Value) -> Image:
    geometry: Image
    left: Float32Array | np.float32
    right: Float32Array | np.float32
    if isinstance(a, Image) and isinstance(b, Image):
        check_geometry(name, a, b)
        geometry, left, right = a, as_float32(a), as_float32(b)
    elif isinstance(a, Image) and isinstance(b, bool | int | float):
        geometry, left, right = a, as_float32(a), require_float32(name, b)
    elif isinstance(b, Image) and isinstance(a, bool | int | float):
        geometry, left, right = b, require_float32(name, a), as_float32(b)
    else:
        raise _type_error(name, a, b)
    with np.errstate(all="ignore"):  # infinities and NaN are results
        return image_like(geometry, arrays(left, right))


def _to_list(value: Value) -> Value:
    if isinstance(value, np.ndarray):
        items: Value = value.tolist()
        return items
    return value


def _type_error(kernel: str, a: Value, b: Value) -> KernelError:
    return KernelError(
        f"{kernel}: expected numbers, sequences or images, got {describe(a)} and {describe(b)}"
    )
