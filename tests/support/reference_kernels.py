"""The operators of spatial logic once more, by numpy and scipy, from their definitions.

Slow and plain; masks are arrays of bool, spacings are those of the array's axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
Array = NDArray[np.generic]


def _box(a: Array) -> Mask:
    return np.ones((3,) * a.ndim, np.bool_)


def near(a: Mask) -> Mask:
    """Grow by one voxel in every direction."""
    return ndimage.binary_dilation(a, _box(a))


def interior(a: Mask) -> Mask:
    """Shrink by one voxel; what lies outside the image counts as inside the mask."""
    return ~near(~a)


def components(a: Mask) -> list[Mask]:
    """List the components, in the order of their first voxels."""
    labels, count = ndimage.label(a, _box(a))
    return [labels == number for number in range(1, count + 1)]


def through(a: Mask, b: Mask) -> Mask:
    """Keep the components of `b` that meet `a`."""
    found = np.zeros_like(b)
    for each in components(b):
        if (each & a).any():
            found |= each
    return found


def touch(a: Mask, b: Mask) -> Mask:
    """Keep the components of `a` that meet or adjoin `b`."""
    return through(near(b), a)


def grow(a: Mask, b: Mask) -> Mask:
    """Add the components of `b` that meet or adjoin `a`."""
    return a | touch(b, a)


def may_reach(a: Mask, b: Mask) -> Mask:
    """Find the voxels from which `a` can be reached through `b`."""
    return near(through(near(a), b) | a)


def surrounded(a: Mask, b: Mask) -> Mask:
    """Keep the voxels of `a` that cannot be left without passing `b`."""
    return a & ~may_reach(~(a | b), ~b)


def border(a: Array) -> Mask:
    """Mark the voxels at the border of the image."""
    inner = np.zeros(a.shape, np.bool_)
    inner[(slice(1, -1),) * a.ndim] = True
    return ~inner


def maxvol(a: Mask) -> Mask:
    """Keep the largest component, all of them on a tie."""
    found = components(a)
    most = max((each.sum() for each in found), default=0)
    return np.any([each for each in found if each.sum() == most], axis=0) if found else a


def positive_distance(a: Mask, spacing: Sequence[float]) -> NDArray[np.float64]:
    """Return the distance to the contour of `a`, 0 inside; infinite if there is none."""
    # There is no background outside the image: `near` of the complement ends there.
    contour = a & near(~a)
    if not contour.any():
        return np.full(a.shape, 0.0 if a.any() else np.inf)
    distance: NDArray[np.float64] = ndimage.distance_transform_edt(~contour, sampling=spacing)
    return np.where(a, 0.0, distance)


def smoothen(a: Mask, radius: float, spacing: Sequence[float]) -> Mask:
    """Take away what is thinner than the radius."""
    core = positive_distance(~a, spacing) >= radius
    smooth: Mask = positive_distance(core, spacing) <= radius
    return smooth


def percentiles(image: Array, inside: Mask, share_of_ties: float) -> NDArray[np.float32]:
    """Return each voxel's rank among those inside; -1 outside."""
    values = np.sort(image[inside])
    below = np.searchsorted(values, image, "left")
    ties = np.searchsorted(values, image, "right") - below
    ranks = ((below + share_of_ties * ties) / len(values)).astype(np.float32)
    return np.where(inside, ranks, np.float32(-1))


def dice(a: Mask, b: Mask) -> float:
    """Return twice the overlap over the sum of the volumes."""
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def cross_correlation(
    radius: Sequence[int],
    image: Array,
    other: Array,
    sample: Mask,
    limits: tuple[float, float],
    bins: int,
) -> NDArray[np.float64]:
    """Correlate the histogram around each voxel with that of `other` in the sample."""
    edges = np.linspace(*limits, bins + 1)

    def histogram(values: Array) -> NDArray[np.float64]:
        kept = values[np.greater_equal(values, limits[0]) & np.less(values, limits[1])]
        places = np.clip(np.searchsorted(edges, kept, "right") - 1, 0, bins - 1)
        return np.bincount(places, minlength=bins).astype(float)

    target = histogram(other[sample])
    found = np.zeros(image.shape)
    for place in np.ndindex(image.shape):
        window = tuple(
            slice(max(0, at - reach), at + reach + 1)
            for at, reach in zip(place, radius, strict=True)
        )
        local = histogram(image[window])
        constant = [len(set(each)) == 1 for each in (local, target)]
        if any(constant):
            found[place] = float(all(constant))
        else:
            found[place] = np.corrcoef(local, target)[0, 1]
    return found
