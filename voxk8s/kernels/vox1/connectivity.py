"""Connected components of masks, and reachability through them.

Components are 26-connected in 3-D and 8-connected in 2-D. All kernels take masks (true where not
zero) of one geometry and return uint8 masks of it (lcc: float32 labels); spacing is ignored.
KernelError for other arguments and different geometries. Source: the reachability operators of
VoxLogicA's spatial logic.
"""

from __future__ import annotations

from voxk8s.kernels.arguments import require_bits, require_two_bits
from voxk8s.kernels.bit_volume import NEIGHBOURS, BitVolume
from voxk8s.kernels.images import image_like, mask_like
from voxk8s.values import Image, Value


def through(a: Value, b: Value) -> Image:
    """Return the components of `b` that contain a voxel of `a` (infix `b ~> a`).

    This is the binary geodesic reconstruction of a & b under `b`. Empty if either is empty.
    """
    image, first, second = require_two_bits("through", a, b)
    return mask_like(image, second.reconstruct(first))


def touch(a: Value, b: Value) -> Image:
    """Return the components of `a` that overlap or are adjacent to `b`: through(near(b), a).

    Empty if either is empty.
    """
    image, first, second = require_two_bits("touch", a, b)
    return mask_like(image, first.reconstruct(second.dilate(NEIGHBOURS)))


def grow(a: Value, b: Value) -> Image:
    """Return the union of `a` and the components of `b` that overlap or are adjacent to it.

    Definition: a or touch(b, a). Empty if `a` is empty; equal to `a` if `b` is empty.
    """
    image, first, second = require_two_bits("grow", a, b)
    return mask_like(image, first | second.reconstruct(first.dilate(NEIGHBOURS)))


def may_reach(a: Value, b: Value) -> Image:
    """Return the voxels from which a path through `b` may lead to `a`.

    Definition: near(through(near(a), b) or a). Empty if `a` is empty, near(a) if `b` is empty.
    """
    image, first, second = require_two_bits("mayReach", a, b)
    return mask_like(image, _may_reach(first, second))


def surrounded(a: Value, b: Value) -> Image:
    """Return the voxels of `a` from which no path leaves `a` without passing through `b`.

    Definition: a and not mayReach(not(a or b), not b). Paths do not leave the image at its border:
    a full `a` is surrounded by any `b`.
    """
    image, first, second = require_two_bits("surrounded", a, b)
    escaping = _may_reach(~(first | second), ~second)
    return mask_like(image, first - escaping)


def maxvol(a: Value) -> Image:
    """Return the component with the most voxels; on a tie, all of that size.

    Empty if `a` is empty.
    """
    image, mask = require_bits("maxvol", a)
    return mask_like(image, mask.largest())


def lcc(a: Value) -> Image:
    """Label the components from 1 to n in the order of their first voxel along z, y, x.

    The background is 0. Labels are float32, exact for up to 16,777,216 components.
    """
    image, mask = require_bits("lcc", a)
    return image_like(image, mask.label())


def fillholes(a: Value) -> Image:
    """Fill the holes of a mask: the background not connected with the border of the image.

    The background is 6-connected in 3-D and 4-connected in 2-D, the dual of the connectivity of
    masks. Empty stays empty, full stays full.
    """
    image, mask = require_bits("fillholes", a)
    outside = (~mask).reconstruct(BitVolume.border(mask.shape), faces=True)
    return mask_like(image, ~outside)


def _may_reach(a: BitVolume, b: BitVolume) -> BitVolume:
    return (b.reconstruct(a.dilate(NEIGHBOURS)) | a).dilate(NEIGHBOURS)
