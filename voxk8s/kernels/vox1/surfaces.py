"""Distances between the surfaces of two masks: hd95 and nsd.

A surface is the set of a mask's voxels with a face neighbour outside it; outside the image counts
as outside. Distances are in mm between voxel centres, in float32, at any spacing, in 2-D (edges of
areas) and 3-D. Both take masks (true where not zero) of one geometry, else KernelError names both,
and give a number: -1 when a mask is empty. Source: Nikolov et al. (2018) for nsd; Huttenlocher et
al. (1993) for the Hausdorff distance.
"""

from __future__ import annotations

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.images import float32_number
from voxk8s.kernels.vox1.boxes import bounding_box
from voxk8s.kernels.vox1.operands import two_masks
from voxk8s.kernels.vox1.transform import distances
from voxk8s.values import Float32Array, MaskArray, Value


def hd95(a: Value, b: Value) -> float:
    """Give the larger of the two directed 95th percentiles of distance, in mm.

    Percentiles are interpolated linearly. -1 when a mask is empty, 0 for equal masks.
    """
    both = _between("hd95", a, b)
    if both is None:
        return -1.0
    return float(max(np.percentile(found.astype(np.float64), 95) for found in both))


def nsd(a: Value, b: Value, t: Value) -> float:
    """Give the share of both surfaces' voxels that lie within `t` mm of the other surface.

    -1 when a mask is empty, 1 for equal masks (of t >= 0). KernelError when t is NaN.
    """
    tolerance = float32_number("nsd", t)
    if np.isnan(tolerance):
        raise KernelError("nsd: the tolerance is NaN")
    both = _between("nsd", a, b)
    if both is None:
        return -1.0
    close = sum(int(np.count_nonzero(found <= tolerance)) for found in both)
    return close / sum(found.size for found in both)


def _between(kernel: str, a: Value, b: Value) -> tuple[Float32Array, Float32Array] | None:
    shape, first, second = two_masks(kernel, a, b)
    if not first.any() or not second.any():
        return None
    # Both surfaces lie in the box of the union, whose faces are their ends as the image's are.
    box = bounding_box(np.bitwise_or(first, second))
    surface_a, surface_b = _surface(first[box]), _surface(second[box])
    to_b = distances(surface_b, shape.spacing)[surface_a.view(np.bool_)]
    to_a = distances(surface_a, shape.spacing)[surface_b.view(np.bool_)]
    return to_b, to_a


def _surface(mask: MaskArray) -> MaskArray:
    inner = mask.copy()
    for axis in range(mask.ndim):
        core = np.moveaxis(inner, axis, 0)
        whole = np.moveaxis(mask, axis, 0)
        core[1:] &= whole[:-1]
        core[:-1] &= whole[1:]
        core[0] = core[-1] = 0
    surface: MaskArray = mask - inner
    return surface
