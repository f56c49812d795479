"""Connectivity: components of masks, and what is reached through them.

Components are 26-connected in 3-D, 8-connected in 2-D. All take masks (true where not zero) and
give uint8 masks of the same geometry (lcc: float32 labels); two images of different geometry are a
KernelError that names both. Spacing plays no part. Source: the reachability operators of
VoxLogicA's spatial logic; components by connected-components-3d.
"""

from __future__ import annotations

import cc3d
import numpy as np
from numpy.typing import NDArray

from voxk8s.kernels.images import image_like
from voxk8s.kernels.vox1.neighbourhood import near_array
from voxk8s.kernels.vox1.operands import one_mask, two_masks
from voxk8s.values import Image, MaskArray, Value


def through(a: Value, b: Value) -> Image:
    """Give the union of the components of `b` that contain a voxel of `a` (infix `b ~> a`).

    Empty when either is empty.
    """
    shape, first, second = two_masks("through", a, b)
    return image_like(shape, through_array(first, second))


def touch(a: Value, b: Value) -> Image:
    """Give the components of `a` that meet or adjoin `b`: through(near(b), a).

    Empty when either is empty.
    """
    shape, first, second = two_masks("touch", a, b)
    return image_like(shape, through_array(near_array(second), first))


def grow(a: Value, b: Value) -> Image:
    """Give `a` and the components of `b` that meet or adjoin it: a or touch(b, a).

    Empty when `a` is empty; `a` when `b` is.
    """
    shape, first, second = two_masks("grow", a, b)
    reached = through_array(near_array(first), second)
    return image_like(shape, np.bitwise_or(reached, first, out=reached))


def may_reach(a: Value, b: Value) -> Image:
    """Give the voxels from which a path through `b` may lead to `a`.

    Definition: near(through(near(a), b) or a). Empty when `a` is empty, near(a) when `b` is.
    """
    shape, first, second = two_masks("mayReach", a, b)
    return image_like(shape, _may_reach(first, second))


def surrounded(a: Value, b: Value) -> Image:
    """Give the voxels of `a` from which no path leaves `a` without passing `b`.

    Definition: a and not mayReach(not(a or b), not b). The image's border is no way out: a full `a`
    is surrounded by anything.
    """
    shape, first, second = two_masks("surrounded", a, b)
    outside = _not(np.bitwise_or(first, second))
    return image_like(shape, np.bitwise_and(first, _not(_may_reach(outside, _not(second)))))


def maxvol(a: Value) -> Image:
    """Give the component with the most voxels; all of the largest ones on a tie.

    Empty stays empty.
    """
    shape, mask = one_mask("maxvol", a)
    labels, count = components(mask)
    if count <= 1:
        return image_like(shape, mask.copy())
    sizes = np.bincount(labels[mask.view(np.bool_)], minlength=count + 1)
    return image_like(shape, _selected(mask, labels, sizes == sizes.max()))


def lcc(a: Value) -> Image:
    """Label the components 1 to n in the order of their first voxel along z, y, x; 0 elsewhere.

    Labels are float32, exact up to 16,777,216 components.
    """
    shape, mask = one_mask("lcc", a)
    return image_like(shape, components(mask)[0].astype(np.float32))


def through_array(a: MaskArray, b: MaskArray) -> MaskArray:
    """Give the components of the 0/1 array `b` that contain a voxel of the 0/1 array `a`."""
    labels, count = components(b)
    if count == 0:
        return np.zeros_like(b)
    if count == 1:
        return b.copy() if np.bitwise_and(a, b).any() else np.zeros_like(b)
    chosen = np.zeros(count + 1, np.bool_)
    chosen[labels[np.bitwise_and(a, b).view(np.bool_)]] = True
    return _selected(b, labels, chosen)


def _selected(
    mask: MaskArray, labels: NDArray[np.unsignedinteger], chosen: NDArray[np.bool_]
) -> MaskArray:
    """Give the voxels of a mask whose label is chosen; label 0 must not be."""
    picked = np.flatnonzero(chosen)
    result: MaskArray
    if picked.size == 1:
        result = np.equal(labels, labels.dtype.type(picked[0])).view(np.uint8)
        return result
    result = np.zeros_like(mask)
    if picked.size:
        # Looking labels up is the dear part: only where there are any.
        inside = mask.view(np.bool_)
        result[inside] = chosen[labels[inside]]
    return result


def components(mask: MaskArray) -> tuple[NDArray[np.unsignedinteger], int]:
    """Label the components of a 0/1 array in the order of their first voxels; give their number."""
    # Always as a volume and never with `binary_image`: cc3d 4.1 labels some 2-D masks wrongly, and
    # runs out of labels on some flat ones. It takes no array that cannot be written to.
    volume = np.require(mask if mask.ndim == 3 else mask[np.newaxis], requirements=["C", "W"])
    labels, count = cc3d.connected_components(volume, connectivity=26, return_N=True)
    return labels.reshape(mask.shape), int(count)


def _may_reach(a: MaskArray, b: MaskArray) -> MaskArray:
    return near_array(np.bitwise_or(through_array(near_array(a), b), a))


def _not(mask: MaskArray) -> MaskArray:
    inverted: MaskArray = np.equal(mask, 0).view(np.uint8)
    return inverted
