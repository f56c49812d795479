"""Texture similarity: the correlation of local histograms with a reference histogram."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import (
    check_geometry,
    require_image_and_mask,
    require_integer,
    require_number,
    require_scalar_image,
)
from voxk8s.kernels.images import as_float32, image_like
from voxk8s.kernels.simpleitk.parameter_bounds import MOST_HISTOGRAM_BINS
from voxk8s.values import Float32Array, Image, Value

_SLAB_VOXELS: Final = 500_000
"""Voxels that are processed at once, so that they stay in the cache."""


def cross_correlation(
    r: Value, a: Value, b: Value, fb: Value, m1: Value, m2: Value, k: Value
) -> Image:
    """Correlate the histogram of `a` around each voxel with that of `b` inside the mask `fb`.

    The window is a box of radius max(1, r / spacing, rounded half away from zero) along each axis,
    with `r` in mm; voxels outside the image are ignored. Histograms have `k` bins of equal width
    over [m1, m2); values outside are not counted. The result is Pearson's correlation of the two
    in float32: 1 if both are constant, 0 if one is; an empty histogram is constant. KernelError if
    r is NaN, m1 >= m2, either of these is not finite, k is not within 1 and 65,536, or the
    geometries differ. Source: VoxLogicA's statistical similarity (Ciancia et al., 2016).
    """
    name = "crossCorrelation"
    image, other = require_scalar_image(name, a), require_scalar_image(name, b)
    check_geometry(name, image, other)
    _, inside = require_image_and_mask(name, b, fb)
    low, high, bins = require_number(name, m1), require_number(name, m2), require_integer(name, k)
    if not low < high or not math.isfinite(high - low):
        raise KernelError(f"{name}: expected a finite range m1 < m2, got {low} and {high}")
    if not 1 <= bins <= MOST_HISTOGRAM_BINS:
        raise KernelError(f"{name}: expected 1 to {MOST_HISTOGRAM_BINS} bins, got {bins}")
    radius = require_number(name, r)
    if math.isnan(radius):
        raise KernelError(f"{name}: expected a radius in mm, got NaN")
    # A window needs no larger radius than the size of the image.
    reach = [
        max(1, math.floor(min(max(radius / step, 0), side) + 0.5))
        for step, side in zip(reversed(image.spacing), image.array.shape, strict=True)
    ]
    reference = _bins(as_float32(other)[inside.view(np.bool_)], low, high, bins)
    target = np.bincount(reference, minlength=bins + 1)[:bins].astype(np.float64)
    places = _bins(as_float32(image), low, high, bins)
    return image_like(image, _correlate(places, target, reach))


def _bins(values: Float32Array, low: float, high: float, bins: int) -> NDArray[np.int32]:
    """Return the bin of each value, from 0; `bins` for a value outside [low, high)."""
    wide = values.astype(np.float64)
    counted = (wide >= low) & (wide < high)
    places = np.full(values.shape, bins, np.int32)
    inside = np.floor((wide[counted] - low) / (high - low) * bins).astype(np.int32)
    places[counted] = np.minimum(inside, bins - 1)
    return places


def _correlate(
    places: NDArray[np.int32], target: NDArray[np.float64], reach: list[int]
) -> Float32Array:
    result = np.empty(places.shape, np.float32)
    length, rest = places.shape[0], max(1, places[0].size)
    step = max(1, _SLAB_VOXELS // rest)
    for start in range(0, length, step):
        stop = min(length, start + step)
        first, last = max(0, start - reach[0]), min(length, stop + reach[0])
        slab = _correlate_slab(places[first:last], target, reach, start - first, last - stop)
        result[start:stop] = slab
    return result


def _correlate_slab(
    places: NDArray[np.int32],
    target: NDArray[np.float64],
    reach: list[int],
    before: int,
    after: int,
) -> Float32Array:
    """Correlate a slab; `places` also has `before` and `after` more layers around it."""
    bins = target.size
    # Layers outside the image are empty.
    margins = [(reach[0] - before, reach[0] - after), *((more, more) for more in reach[1:])]
    padded = np.pad(places, margins, constant_values=bins)
    shape = tuple(side - 2 * more for side, more in zip(padded.shape, reach, strict=True))
    total = np.zeros(shape)
    squares = np.zeros(shape)
    products = np.zeros(shape)
    # Counts are integers below 2^53, so all sums are exact in any order.
    for place in np.unique(padded):
        if place == bins:
            continue
        counts = (padded == place).astype(np.int32)
        for axis, more in enumerate(reach):
            counts = _window_sums(counts, axis, 2 * more + 1)
        total += counts
        products += counts * target[place]
        squares += np.square(counts, dtype=np.float64)
    size, sum_target = float(bins), float(target.sum())
    spread = size * squares - np.square(total)
    spread_target = size * float((target * target).sum()) - sum_target * sum_target
    if spread_target <= 0:
        return (spread <= 0).astype(np.float32)
    shared = size * products - total * sum_target
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = shared / (np.sqrt(np.maximum(spread, 0)) * math.sqrt(spread_target))
    correlation[spread <= 0] = 0
    return np.clip(correlation, -1, 1).astype(np.float32)


def _window_sums(counts: NDArray[np.int32], axis: int, width: int) -> NDArray[np.int32]:
    """Return the sums of windows of `width` along an axis, in about log2(width) additions."""

    def part(array: NDArray[np.int32], start: int, length: int) -> NDArray[np.int32]:
        return array[(slice(None),) * axis + (slice(start, start + length),)]

    length = counts.shape[axis] - width + 1
    result: NDArray[np.int32] | None = None
    block, block_width, offset = counts, 1, 0
    while True:
        if width & block_width:
            piece = part(block, offset, length)
            result = piece.copy() if result is None else result + piece
            offset += block_width
        if 2 * block_width > width:
            break
        longer = block.shape[axis] - block_width
        block = part(block, 0, longer) + part(block, block_width, longer)
        block_width *= 2
    assert result is not None  # noqa: S101 the width is odd, so its lowest bit is set
    return result
