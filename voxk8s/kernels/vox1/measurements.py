"""Measurements of images: volume, means, extremes, absolute values and percentile ranks.

All kernels take images with one channel, 2-D or 3-D, and compute in float32; spacing is ignored.
NaN propagates as in IEEE 754. KernelError for images with several channels, and for an image and a
mask (true where not zero) of different geometry.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import (
    check_geometry,
    require_image_and_mask,
    require_mask,
    require_number,
    require_scalar_image,
)
from voxk8s.kernels.images import as_float32, image_like
from voxk8s.values import Float32Array, Image, Value


def volume(a: Value) -> float:
    """Return the number of true voxels of a mask, as a float."""
    return float(np.count_nonzero(require_mask("volume", a)[1]))


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
    """Return the smallest value of an image in float32; NaN if it contains NaN."""
    return float(np.min(as_float32(require_scalar_image("min", i))))


def max_(i: Value) -> float:
    """Return the largest value of an image in float32; NaN if it contains NaN."""
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
    ranks = np.full(inside.shape, np.float32(-1))
    where = np.flatnonzero(inside.view(np.bool_))
    if where.size:
        values = as_float32(image).reshape(-1)[where]
        ranks.reshape(-1)[where] = _ranks(values, correction)
    return image_like(image, ranks)


def label_mean(i: Value, labels: Value) -> Image:
    """Return for each voxel the mean of `i` over the voxels with its label, in float32.

    Labels are numbers of any dtype (as those of lcc or slic), including 0. Means are summed in
    float64. KernelError if the geometries differ.
    """
    image = require_scalar_image("label_mean", i)
    label_image = require_scalar_image("label_mean", labels)
    check_geometry("label_mean", image, label_image)
    _, inverse = np.unique(label_image.array, return_inverse=True)
    flat = inverse.reshape(-1)
    counts = np.bincount(flat)
    sums = np.bincount(flat, weights=as_float32(image).reshape(-1))
    means = (sums / counts).astype(np.float32)
    return image_like(image, means[flat].reshape(image.array.shape))


def _ranks(values: Float32Array, correction: float) -> Float32Array:
    # Two passes over 16 bits each, for which numpy has a radix sort: half the time of one sort.
    bits = _ordered_bits(values)
    places = np.argsort(bits.astype(np.uint16), kind="stable")
    upper = (bits >> np.uint32(16)).astype(np.uint16)
    places = places[np.argsort(upper[places], kind="stable")]
    bits = bits[places]
    count = values.size
    starts = np.flatnonzero(np.concatenate(([True], bits[1:] != bits[:-1])))
    ties = np.diff(starts, append=count)
    with np.errstate(over="ignore"):
        shares = ((starts + correction * ties) / count).astype(np.float32)
    ranks = np.empty(count, np.float32)
    ranks[places] = np.repeat(shares, ties)
    return ranks


def _ordered_bits(values: Float32Array) -> NDArray[np.uint32]:
    """Map floats to integers of the same order; 0 and -0 are equal, as are all NaN."""
    canonical = values + np.float32(0)  # -0 becomes 0; the sum is a copy
    missing = np.isnan(canonical)
    if missing.any():
        canonical[missing] = np.float32(np.nan)
    bits = canonical.view(np.uint32)
    negative = bits >> np.uint32(31)
    # The bits of negative floats have the reverse order: flip all of them, else only the sign.
    flip: NDArray[np.uint32] = (np.uint32(0) - negative) | np.uint32(0x80000000)
    return bits ^ flip


def _inside(kernel: str, i: Value, m: Value) -> Float32Array:
    image, mask = require_image_and_mask(kernel, i, m)
    return as_float32(image)[mask.view(np.bool_)]
