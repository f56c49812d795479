"""What the sample `white-matter.yaml` must find, computed another way: numpy and scipy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Voxels = NDArray[np.generic]
Mask = NDArray[np.bool_]

BOX = np.ones((3, 3, 3), bool)


@dataclass(frozen=True)
class Found:
    """The region, the voxels of the head, and the region's margin of 5 mm."""

    region: Mask
    head: Mask
    margin: Mask


def find(image: Voxels, bright: float, brightest: float) -> Found:
    """Compute what the samples compute, on 1 mm voxels, for two ranks in [0, 1]."""
    head: Mask = np.greater_equal(image, 1)
    ranks = midranks(image, head)
    core = largest(smoothen(ranks >= np.float32(brightest), 2.0))
    grown = core | connected_to(ndimage.binary_dilation(core, BOX), ranks >= np.float32(bright))
    region = largest(smoothen(grown, 1.5))
    return Found(region, head, (distance(region) <= 5.0) & ~region)


def midranks(image: Voxels, mask: Mask) -> NDArray[np.float32]:
    """Return the share of masked voxels below each voxel, ties counted half; -1 outside."""
    values = np.sort(image[mask])
    below = np.searchsorted(values, image, side="left")
    above = np.searchsorted(values, image, side="right")
    ranks = (below + 0.5 * (above - below)) / values.size
    return np.where(mask, ranks, -1).astype(np.float32)


def distance(mask: Mask) -> NDArray[np.float64]:
    """Return the distance of each voxel to a mask."""
    found: NDArray[np.float64] = ndimage.distance_transform_edt(~mask)
    return found


def smoothen(mask: Mask, radius: float) -> Mask:
    """Return the opening by a ball: voxels within `radius` of voxels `radius` away from outside."""
    return distance(distance(~mask) >= radius) <= radius


def largest(mask: Mask) -> Mask:
    """Return the largest 26-connected component."""
    labels, _ = ndimage.label(mask, BOX)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    chosen: Mask = labels == sizes.argmax()
    return chosen


def connected_to(seeds: Mask, mask: Mask) -> Mask:
    """Return the 26-connected components of a mask that meet the seeds."""
    labels, _ = ndimage.label(mask, BOX)
    wanted = np.unique(labels[seeds & mask])
    found: Mask = np.isin(labels, wanted[wanted > 0])
    return found
