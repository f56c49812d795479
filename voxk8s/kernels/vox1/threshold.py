"""Thresholds: masks of where an image compares with a number.

All take a number and an image of one channel and give a uint8 mask of the image's geometry.
Comparison is in float32: the number and integer voxels are converted first. NaN compares false.
KernelError for colour images: take their intensity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from voxk8s.kernels.images import Float32Array, as_float32, image_like, number, scalar_image
from voxk8s.values import Image, Value

_Comparison: TypeAlias = Callable[[Float32Array, np.float32], NDArray[np.bool_]]


def geq_sv(v: Value, i: Value) -> Image:
    """Give where `i >= v` (`v .<= i`, `i >=. v`)."""
    return _compare("geq_sv", np.greater_equal, v, i)


def leq_sv(v: Value, i: Value) -> Image:
    """Give where `i <= v` (`v .>= i`, `i <=. v`)."""
    return _compare("leq_sv", np.less_equal, v, i)


def gt_sv(v: Value, i: Value) -> Image:
    """Give where `i > v` (`v .< i`, `i >. v`)."""
    return _compare("gt_sv", np.greater, v, i)


def lt_sv(v: Value, i: Value) -> Image:
    """Give where `i < v` (`v .> i`, `i <. v`)."""
    return _compare("lt_sv", np.less, v, i)


def eq_sv(v: Value, i: Value) -> Image:
    """Give where `i = v` (`v .= i`, `i =. v`)."""
    return _compare("eq_sv", np.equal, v, i)


def between(lo: Value, hi: Value, i: Value) -> Image:
    """Give where `lo <= i <= hi`, both ends included; empty when `lo > hi`."""
    image = scalar_image("between", i)
    array = as_float32(image)
    low, high = _float32("between", lo), _float32("between", hi)
    inside = np.greater_equal(array, low)
    np.logical_and(inside, np.less_equal(array, high), out=inside)
    return image_like(image, inside.view(np.uint8))


def _compare(kernel: str, comparison: _Comparison, v: Value, i: Value) -> Image:
    image = scalar_image(kernel, i)
    truth = comparison(as_float32(image), _float32(kernel, v))
    return image_like(image, truth.view(np.uint8))


def _float32(kernel: str, value: Value) -> np.float32:
    with np.errstate(over="ignore"):  # beyond float32 a number is an infinity: it still compares
        return np.float32(number(kernel, value))
