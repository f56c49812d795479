"""The operands of a kernel, checked: masks and scalar images of one geometry."""

from __future__ import annotations

from voxk8s.kernels.images import as_mask, check_geometry, scalar_image
from voxk8s.values import Image, MaskArray, Value


def one_mask(kernel: str, a: Value) -> tuple[Image, MaskArray]:
    """Give an image and its voxels as 0/1; the voxels must not be written to."""
    return scalar_image(kernel, a), as_mask(kernel, a)


def two_masks(kernel: str, a: Value, b: Value) -> tuple[Image, MaskArray, MaskArray]:
    """Give the first image and the voxels of both as 0/1; one geometry or KernelError."""
    first, second = scalar_image(kernel, a), scalar_image(kernel, b)
    check_geometry(kernel, first, second)
    return first, as_mask(kernel, first), as_mask(kernel, second)


def image_and_mask(kernel: str, i: Value, m: Value) -> tuple[Image, MaskArray]:
    """Give a scalar image and the voxels of a mask as 0/1; one geometry or KernelError."""
    image, mask = scalar_image(kernel, i), scalar_image(kernel, m)
    check_geometry(kernel, image, mask)
    return image, as_mask(kernel, mask)
