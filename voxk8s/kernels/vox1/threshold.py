"""Thresholds: comparisons of the voxels of an image with a number.

All kernels take a number and an image with one channel and return a uint8 mask of its geometry.
Numbers and voxels are compared in float32. Comparisons with NaN are false. KernelError for images
with several channels.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from voxk8s.kernels.arguments import require_float32, require_scalar_image
from voxk8s.kernels.bit_volume import BitVolume, Comparison
from voxk8s.kernels.images import image_like, mask_like
from voxk8s.values import Image, Value

_NO_NUMBER: Final = np.float32("nan")
_ON_ARRAYS: Final = {
    Comparison.LESS: np.less,
    Comparison.AT_MOST: np.less_equal,
    Comparison.EQUAL: np.equal,
    Comparison.AT_LEAST: np.greater_equal,
    Comparison.MORE: np.greater,
}


def geq_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i >= v` (`v .<= i`, `i >=. v`)."""
    return _compare("geq_sv", Comparison.AT_LEAST, v, i)


def leq_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i <= v` (`v .>= i`, `i <=. v`)."""
    return _compare("leq_sv", Comparison.AT_MOST, v, i)


def gt_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i > v` (`v .< i`, `i >. v`)."""
    return _compare("gt_sv", Comparison.MORE, v, i)


def lt_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i < v` (`v .> i`, `i <. v`)."""
    return _compare("lt_sv", Comparison.LESS, v, i)


def eq_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i = v` (`v .= i`, `i =. v`)."""
    return _compare("eq_sv", Comparison.EQUAL, v, i)


def between(lo: Value, hi: Value, i: Value) -> Image:
    """Return the mask of `lo <= i <= hi`; empty if `lo > hi`."""
    image = require_scalar_image("between", i)
    low, high = require_float32("between", lo), require_float32("between", hi)
    return _mask_where(image, Comparison.BETWEEN, low, high)


def _compare(kernel: str, comparison: Comparison, v: Value, i: Value) -> Image:
    image, value = require_scalar_image(kernel, i), require_float32(kernel, v)
    return _mask_where(image, comparison, value)


def _mask_where(
    image: Image, comparison: Comparison, low: np.float32, high: np.float32 = _NO_NUMBER
) -> Image:
    array = image.array
    if type(array) is np.ndarray:
        return mask_like(image, BitVolume.compare(array, comparison, low, high))
    # One of a GPU, see `voxk8s.kernels.gpu`.
    values = array.astype(np.float32, copy=False)
    if comparison is Comparison.BETWEEN:
        truth = np.logical_and(np.greater_equal(values, low), np.less_equal(values, high))
    else:
        truth = _ON_ARRAYS[comparison](values, low)
    return image_like(image, truth.view(np.uint8))
