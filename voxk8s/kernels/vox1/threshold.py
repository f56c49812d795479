"""Thresholds: comparisons of the voxels of an image with a number.

All kernels take a number and an image with one channel and return a uint8 mask of its geometry.
Numbers and voxels are compared in float32. Comparisons with NaN are false. KernelError for images
with several channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from voxk8s.kernels.arguments import require_float32, require_scalar_image
from voxk8s.kernels.images import image_like
from voxk8s.values import Float32Array, Image, Value

_CHUNK_VOXELS: Final = 1 << 18


class _Comparison(Protocol):
    def __call__(
        self, values: Float32Array, value: np.float32, /, *, out: NDArray[np.bool_]
    ) -> object: ...


def geq_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i >= v` (`v .<= i`, `i >=. v`)."""
    return _compare("geq_sv", np.greater_equal, v, i)


def leq_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i <= v` (`v .>= i`, `i <=. v`)."""
    return _compare("leq_sv", np.less_equal, v, i)


def gt_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i > v` (`v .< i`, `i >. v`)."""
    return _compare("gt_sv", np.greater, v, i)


def lt_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i < v` (`v .> i`, `i <. v`)."""
    return _compare("lt_sv", np.less, v, i)


def eq_sv(v: Value, i: Value) -> Image:
    """Return the mask of `i = v` (`v .= i`, `i =. v`)."""
    return _compare("eq_sv", np.equal, v, i)


def between(lo: Value, hi: Value, i: Value) -> Image:
    """Return the mask of `lo <= i <= hi`; empty if `lo > hi`."""
    image = require_scalar_image("between", i)
    low, high = require_float32("between", lo), require_float32("between", hi)

    def inside(values: Float32Array, out: NDArray[np.bool_]) -> None:
        np.greater_equal(values, low, out=out)
        np.logical_and(out, np.less_equal(values, high), out=out)

    return _mask_where(image, inside)


def _compare(kernel: str, comparison: _Comparison, v: Value, i: Value) -> Image:
    image, value = require_scalar_image(kernel, i), require_float32(kernel, v)
    return _mask_where(image, lambda values, out: comparison(values, value, out=out))


def _mask_where(
    image: Image, compare: Callable[[Float32Array, NDArray[np.bool_]], object]
) -> Image:
    array = image.array
    truth = np.empty_like(array, np.bool_)
    # In chunks, which stay in the cache between two steps: all voxels in float32 may be four times
    # the image.
    planes = max(1, _CHUNK_VOXELS * len(array) // max(1, array.size))
    for start in range(0, len(array), planes):
        chunk = slice(start, start + planes)
        with np.errstate(over="ignore"):  # infinities are compared too
            values = array[chunk].astype(np.float32, copy=False)
        compare(values, truth[chunk])
    return image_like(image, truth.view(np.uint8))
