"""Measurements of images: volume, means, extremes, absolute values and percentile ranks.

All kernels take images with one channel, 2-D or 3-D, and compute in float32; spacing is ignored.
NaN propagates as in IEEE 754. KernelError for images with several channels, and for an image and a
mask (true where not zero) of different geometry.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import (
    check_geometry,
    require_bits,
    require_image_and_mask,
    require_number,
    require_numbers,
    require_scalar_image,
)
from voxk8s.kernels.images import as_float32, image_like
from voxk8s.kernels.native.library import Double, Int64, Pointer, address, native
from voxk8s.values import Array, Float32Array, Image, Value

_PLACES: Final = 2**32
_WHOLE: Final = 2**53
_ranks: Final = native("ranks", Pointer, Pointer, Int64, Double, Pointer)
_sums_by_label: Final = native("sums_by_label", Pointer, Pointer, Int64, Pointer, Pointer)


def volume(a: Value) -> float:
    """Return the number of true voxels of a mask, as a float."""
    return float(require_bits("volume", a)[1].count())


def avg(i: Value, m: Value) -> float:
    """Return the mean of `i` where `m` is true, summed in float64; KernelError if `m` is empty."""
    inside = _inside("avg", i, m)
    if not inside.size:
        raise KernelError(
            "avg: expected a mask with true voxels, got an empty one; avg0 returns 0 for it"
        )
    return float(inside.mean(dtype=np.float64))


def avg0(i: Value, m: Value) -> float:
    """Return the mean of `i` where `m` is true, summed in float64; 0 if `m` is empty."""
    inside = _inside("avg0", i, m)
    return float(inside.mean(dtype=np.float64)) if inside.size else 0.0


def min_(i: Value) -> float:
    """Return the smallest value of an image in float32, NaN if it contains NaN, or of a sequence.

    KernelError for a sequence that is empty, or whose items are not numbers.
    """
    if isinstance(i, list):
        return min(require_numbers("min", i))
    return float(np.min(as_float32(require_scalar_image("min", i))))


def max_(i: Value) -> float:
    """Return the largest value of an image in float32, NaN if it contains NaN, or of a sequence.

    KernelError for a sequence that is empty, or whose items are not numbers.
    """
    if isinstance(i, list):
        return max(require_numbers("max", i))
    return float(np.max(as_float32(require_scalar_image("max", i))))


def abs_(i: Value) -> Value:
    """Return the absolute value of each voxel in float32, or that of a number."""
    if isinstance(i, bool | int | float):
        return abs(require_number("abs", i))
    image = require_scalar_image("abs", i)
    return image_like(image, np.abs(as_float32(image)))


def percentiles(img: Value, mask: Value, c: Value) -> Image:
    """Return the percentile rank of each voxel among those in the mask, between 0 and 1.

    Inside the mask: (number of smaller values + c * number of equal values, itself included) /
    number of voxels in the mask, in float32; outside -1. Values are compared in float32; NaN is
    greater than all numbers and equal to NaN. If the mask is empty, the result is -1 everywhere.
    KernelError if `c` is not finite or the geometries differ. Source: VoxLogicA's `percentiles`
    with its correction `c` for ties.
    """
    image, inside = require_image_and_mask("percentiles", img, mask)
    correction = require_number("percentiles", c)
    if not math.isfinite(correction):
        raise KernelError(f"percentiles: expected a finite correction, got {correction}")
    if inside.size >= _PLACES:
        raise KernelError(f"percentiles: expected less than 2^32 voxels, got {inside.size}")
    values, chosen = np.ascontiguousarray(as_float32(image)), np.ascontiguousarray(inside)
    ranks = np.empty(inside.shape, np.float32)
    _ranks(address(values), address(chosen), inside.size, correction, address(ranks))
    return image_like(image, ranks)


def label_mean(i: Value, labels: Value) -> Image:
    """Return for each voxel the mean of `i` over the voxels with its label, in float32.

    Labels are numbers of any dtype (as those of lcc or slic), including 0. Means are summed in
    float64. KernelError if the geometries differ.
    """
    image = require_scalar_image("label_mean", i)
    label_image = require_scalar_image("label_mean", labels)
    check_geometry("label_mean", image, label_image)
    places, count = _places(label_image.array)
    values = np.ascontiguousarray(as_float32(image))
    sums, counts = np.zeros(count), np.zeros(count, np.int64)
    _sums_by_label(address(places), address(values), places.size, address(sums), address(counts))
    with np.errstate(invalid="ignore"):  # places that no label has
        means = (sums / counts).astype(np.float32)
    return image_like(image, means.take(places))


def _places(labels: Array) -> tuple[NDArray[np.int64], int]:
    """Return a place for every label, from 0, and their number; equal ones have one place."""
    low, high = float(labels.min()), float(labels.max())
    if abs(low) < _WHOLE and abs(high) < _WHOLE and high - low <= labels.size:
        whole = labels.astype(np.int64, order="C")
        if np.array_equal(whole, labels):
            return np.subtract(whole, int(low), out=whole), int(high - low) + 1
    found, inverse = np.unique(labels, return_inverse=True)
    return np.ascontiguousarray(inverse.reshape(labels.shape), np.int64), found.size


def _inside(kernel: str, i: Value, m: Value) -> Float32Array:
    image, mask = require_image_and_mask(kernel, i, m)
    return as_float32(image)[mask.view(np.bool_)]
