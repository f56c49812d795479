"""Thresholds: masks of where an image compares with a number.

All take a number and an image of one channel and give a uint8 mask of the image's geometry.
Comparison is in float32: the number and integer voxels are converted first. NaN compares false.
KernelError for colour images: take their intensity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from voxk8s.kernels.images import float32_number, image_like, scalar_image
from voxk8s.values import Float32Array, Image, Value

_VOXELS_AT_ONCE: Final = 1 << 18


class _Comparison(Protocol):
    def __call__(
        self, values: Float32Array, value: np.float32, /, *, out: NDArray[np.bool_]
    ) -> object: ...


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
    low, high = float32_number("between", lo), float32_number("between", hi)

    def inside(values: Float32Array, out: NDArray[np.bool_]) -> None:
        np.greater_equal(values, low, out=out)
        np.logical_and(out, np.less_equal(values, high), out=out)

    return _where(image, inside)


def _compare(kernel: str, comparison: _Comparison, v: Value, i: Value) -> Image:
    image, value = scalar_image(kernel, i), float32_number(kernel, v)
    return _where(image, lambda values, out: comparison(values, value, out=out))


def _where(image: Image, decide: Callable[[Float32Array, NDArray[np.bool_]], object]) -> Image:
    array = image.array
    truth = np.empty_like(array, np.bool_)
    planes = len(array)
    if array.dtype != np.float32:
        # A part at a time: the whole in float32 may be four times the image.
        planes = max(1, _VOXELS_AT_ONCE * len(array) // max(1, array.size))
    for start in range(0, len(array), max(1, planes)):
        part = slice(start, start + planes)
        with np.errstate(over="ignore"):  # beyond float32 is an infinity: it still compares
            values = array[part].astype(np.float32, copy=False)
        decide(values, truth[part])
    return image_like(image, truth.view(np.uint8))
