"""Connected components of masks, and reachability through them.

Components are 26-connected in 3-D and 8-connected in 2-D. All kernels take masks (true where not
zero) of one geometry and return uint8 masks of it (lcc: float32 labels); spacing is ignored.
KernelError for other arguments and different geometries. Source: the reachability operators of
VoxLogicA's spatial logic; components by connected-components-3d.
"""

from __future__ import annotations

import cc3d
import numpy as np
from numpy.typing import NDArray

from voxk8s.kernels.arguments import require_mask, require_two_masks
from voxk8s.kernels.images import image_like, invert_mask
from voxk8s.kernels.vox1.box_morphology import dilate_by_box
from voxk8s.values import Image, MaskArray, Value


def through(a: Value, b: Value) -> Image:
    """Return the components of `b` that contain a voxel of `a` (infix `b ~> a`).

    This is the binary geodesic reconstruction of a & b under `b`. Empty if either is empty.
    """
    image, first, second = require_two_masks("through", a, b)
    return image_like(image, _through(first, second))


def touch(a: Value, b: Value) -> Image:
    """Return the components of `a` that overlap or are adjacent to `b`: through(near(b), a).

    Empty if either is empty.
    """
    image, first, second = require_two_masks("touch", a, b)
    return image_like(image, _through(dilate_by_box(second), first))


def grow(a: Value, b: Value) -> Image:
    """Return the union of `a` and the components of `b` that overlap or are adjacent to it.

    Definition: a or touch(b, a). Empty if `a` is empty; equal to `a` if `b` is empty.
    """
    image, first, second = require_two_masks("grow", a, b)
    reached = _through(dilate_by_box(first), second)
    return image_like(image, np.bitwise_or(reached, first, out=reached))


def may_reach(a: Value, b: Value) -> Image:
    """Return the voxels from which a path through `b` may lead to `a`.

    Definition: near(through(near(a), b) or a). Empty if `a` is empty, near(a) if `b` is empty.
    """
    image, first, second = require_two_masks("mayReach", a, b)
    return image_like(image, _may_reach(first, second))


def surrounded(a: Value, b: Value) -> Image:
    """Return the voxels of `a` from which no path leaves `a` without passing through `b`.

    Definition: a and not mayReach(not(a or b), not b). Paths do not leave the image at its border:
    a full `a` is surrounded by any `b`.
    """
    image, first, second = require_two_masks("surrounded", a, b)
    outside = invert_mask(np.bitwise_or(first, second))
    escaping = _may_reach(outside, invert_mask(second))
    return image_like(image, np.bitwise_and(first, invert_mask(escaping)))


def maxvol(a: Value) -> Image:
    """Return the component with the most voxels; on a tie, all of that size.

    Empty if `a` is empty.
    """
    image, mask = require_mask("maxvol", a)
    labels, count = _label(mask)
    if count <= 1:
        return image_like(image, mask.copy())
    sizes = np.bincount(labels[mask.view(np.bool_)], minlength=count + 1)
    return image_like(image, _select(mask, labels, sizes == sizes.max()))


def lcc(a: Value) -> Image:
    """Label the components from 1 to n in the order of their first voxel along z, y, x.

    The background is 0. Labels are float32, exact for up to 16,777,216 components.
    """
    image, mask = require_mask("lcc", a)
    return image_like(image, _label(mask)[0].astype(np.float32))


def fillholes(a: Value) -> Image:
    """Fill the holes of a mask: the background not connected with the border of the image.

    The background is 6-connected in 3-D and 4-connected in 2-D, the dual of the connectivity of
    masks. Empty stays empty, full stays full.
    """
    image, mask = require_mask("fillholes", a)
    background = invert_mask(mask)
    volume = np.ascontiguousarray(background if mask.ndim == 3 else background[np.newaxis])
    labels, count = cc3d.connected_components(volume, connectivity=6, return_N=True)
    labels = labels.reshape(mask.shape)
    filled = np.ones(int(count) + 1, np.uint8)
    for axis in range(mask.ndim):
        for face in (0, -1):
            filled[np.take(labels, face, axis=axis)] = 0
    filled[0] = 1
    return image_like(image, filled[labels])


def _through(a: MaskArray, b: MaskArray) -> MaskArray:
    labels, count = _label(b)
    if count == 0:
        return np.zeros_like(b)
    if count == 1:
        return b.copy() if np.bitwise_and(a, b).any() else np.zeros_like(b)
    chosen = np.zeros(count + 1, np.bool_)
    chosen[labels[np.bitwise_and(a, b).view(np.bool_)]] = True
    return _select(b, labels, chosen)


def _may_reach(a: MaskArray, b: MaskArray) -> MaskArray:
    return dilate_by_box(np.bitwise_or(_through(dilate_by_box(a), b), a))


def _select(
    mask: MaskArray, labels: NDArray[np.unsignedinteger], chosen: NDArray[np.bool_]
) -> MaskArray:
    """Return the voxels of a mask whose label is chosen; label 0 must not be chosen."""
    indices = np.flatnonzero(chosen)
    result: MaskArray
    if indices.size == 1:
        result = np.equal(labels, labels.dtype.type(indices[0])).view(np.uint8)
        return result
    result = np.zeros_like(mask)
    if indices.size:
        # Looking labels up is the expensive part: only inside the mask.
        inside = mask.view(np.bool_)
        result[inside] = chosen[labels[inside]]
    return result


def _label(mask: MaskArray) -> tuple[NDArray[np.unsignedinteger], int]:
    """Return the labels of a 0/1 array's components, ordered by first voxel, and their number."""
    # Always as a volume and never with `binary_image`: cc3d 4.1 labels some 2-D masks wrongly, and
    # runs out of labels on some flat ones. It does not accept read-only arrays.
    volume = np.require(mask if mask.ndim == 3 else mask[np.newaxis], requirements=["C", "W"])
    labels, count = cc3d.connected_components(volume, connectivity=26, return_N=True)
    return labels.reshape(mask.shape), int(count)
