"""Binary dilation and erosion by the box of nearest neighbours: near and interior.

The structuring element is the 3x3x3 box in 3-D and the 3x3 box in 2-D: a voxel and its 26 or 8
neighbours. Both take a mask (true where not zero) and return a uint8 mask of the same geometry;
spacing is ignored. They raise KernelError unless the argument is an image with one channel. Source:
the closure operator of VoxLogicA's spatial logic (Belmonte et al., TACAS 2019).

Rows are packed into bits, so that one byte carries eight voxels through the three passes: 3.5 ms
for 155x240x240 voxels on one core, where bytes take 6 ms and ITK's filter 172 ms.
"""

from __future__ import annotations

import numpy as np

from voxk8s.kernels.arguments import require_scalar_image
from voxk8s.kernels.images import image_like, invert_mask, mask_voxels
from voxk8s.values import Image, MaskArray, Value


def near(a: Value) -> Image:
    """Return the dilation of `a` by the box: the voxels in `a` or with a neighbour in `a`.

    Outside the image is false. The dilation of an empty mask is empty, that of a full one is full.
    """
    image = require_scalar_image("near", a)
    if image.array.dtype == np.uint8:
        # Packing takes any byte but 0 for true: no conversion to 0 and 1 is needed.
        return image_like(image, dilate_by_box(image.array.view(np.uint8)))
    return image_like(image, dilate_by_box(mask_voxels(image)))


def interior(a: Value) -> Image:
    """Return the erosion of `a` by the box: the voxels of `a` with all neighbours in `a`.

    Definition: not near(not a). Outside the image is true, so voxels at the border of the image are
    not eroded from there. The erosion of an empty mask is empty, that of a full one is full.
    """
    image = require_scalar_image("interior", a)
    grown = dilate_by_box(invert_mask(mask_voxels(image)))
    return image_like(image, invert_mask(grown))


def mask_contour(mask: MaskArray) -> MaskArray:
    """Return the voxels of a 0/1 array that have a neighbour in the image but not in the mask."""
    contour: MaskArray = np.bitwise_and(mask, dilate_by_box(invert_mask(mask)))
    return contour


def dilate_by_box(mask: MaskArray) -> MaskArray:
    """Return the dilation of an array (true where not zero) by the box, as 0 and 1."""
    bits = np.packbits(mask, axis=-1, bitorder="little")
    # Along x: within bytes, then the carries. Bits beyond the row's end are dropped at the end.
    rows: MaskArray = np.left_shift(bits, 1, dtype=np.uint8)
    rows |= bits >> 1
    rows |= bits
    rows[..., 1:] |= bits[..., :-1] >> 7
    rows[..., :-1] |= bits[..., 1:] << 7
    for axis in range(mask.ndim - 1):
        source = rows.copy()
        ahead = [slice(None)] * mask.ndim
        behind = [slice(None)] * mask.ndim
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        rows[tuple(ahead)] |= source[tuple(behind)]
        rows[tuple(behind)] |= source[tuple(ahead)]
    return np.unpackbits(rows, axis=-1, count=mask.shape[-1], bitorder="little")
