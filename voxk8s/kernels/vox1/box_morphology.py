"""Binary dilation and erosion by the box of nearest neighbours: near and interior.

The structuring element is the 3x3x3 box in 3-D and the 3x3 box in 2-D: a voxel and its 26 or 8
neighbours. Both take a mask (true where not zero) and return a uint8 mask of the same geometry;
spacing is ignored. They raise KernelError unless the argument is an image with one channel. Source:
the closure operator of VoxLogicA's spatial logic (Belmonte et al., TACAS 2019).
"""

from __future__ import annotations

from voxk8s.kernels.arguments import require_bits
from voxk8s.kernels.bit_volume import NEIGHBOURS
from voxk8s.kernels.images import mask_like
from voxk8s.values import Image, Value


def near(a: Value) -> Image:
    """Return the dilation of `a` by the box: the voxels in `a` or with a neighbour in `a`.

    Outside the image is false. The dilation of an empty mask is empty, that of a full one is full.
    """
    image, mask = require_bits("near", a)
    return mask_like(image, mask.dilate(NEIGHBOURS))


def interior(a: Value) -> Image:
    """Return the erosion of `a` by the box: the voxels of `a` with all neighbours in `a`.

    Definition: not near(not a). Outside the image is true, so voxels at the border of the image are
    not eroded from there. The erosion of an empty mask is empty, that of a full one is full.
    """
    image, mask = require_bits("interior", a)
    return mask_like(image, mask.erode(NEIGHBOURS))
