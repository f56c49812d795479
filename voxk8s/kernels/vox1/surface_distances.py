"""Distances between the surfaces of two masks: hd95 and nsd.

The surface of a mask is the set of its voxels with a face neighbour outside it; outside the image
is outside the mask. Distances are in mm between voxel centres, in float32, at any spacing, in 2-D
and 3-D. Both kernels take masks (true where not zero) of one geometry, else KernelError, and return
a number; -1 if a mask is empty. Source: Nikolov et al. (2018) for nsd, Huttenlocher et al. (1993)
for the Hausdorff distance.
"""

from __future__ import annotations

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_float32, require_two_masks
from voxk8s.kernels.bit_volume import BitVolume
from voxk8s.kernels.vox1.distance_transform import distance_transform
from voxk8s.values import Float32Array, MaskArray, Value


def hd95(a: Value, b: Value) -> float:
    """Return the 95% Hausdorff distance in mm: the larger of both directed 95th percentiles.

    Percentiles are interpolated linearly. -1 if a mask is empty, 0 for equal masks.
    """
    distances = _surface_distances("hd95", a, b)
    if distances is None:
        return -1.0
    return float(max(np.percentile(each.astype(np.float64), 95) for each in distances))


def nsd(a: Value, b: Value, t: Value) -> float:
    """Return the normalized surface Dice at the tolerance `t` in mm.

    This is the fraction of the voxels of both surfaces within `t` mm of the other surface. -1 if a
    mask is empty, 1 for equal masks (if t >= 0). KernelError if `t` is NaN.
    """
    tolerance = require_float32("nsd", t)
    if np.isnan(tolerance):
        raise KernelError("nsd: expected a tolerance in mm, got NaN")
    distances = _surface_distances("nsd", a, b)
    if distances is None:
        return -1.0
    close = sum(int(np.count_nonzero(each <= tolerance)) for each in distances)
    return close / sum(each.size for each in distances)


def _surface_distances(kernel: str, a: Value, b: Value) -> tuple[Float32Array, Float32Array] | None:
    image, first, second = require_two_masks(kernel, a, b)
    if not first.any() or not second.any():
        return None
    # Both surfaces lie in the bounding box of the union, outside of which both masks are false.
    box = BitVolume.pack(np.bitwise_or(first, second)).bounding_box()
    surface_a, surface_b = _surface(first[box]), _surface(second[box])
    to_b = distance_transform(surface_b, image.spacing)[surface_a.view(np.bool_)]
    to_a = distance_transform(surface_a, image.spacing)[surface_b.view(np.bool_)]
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
