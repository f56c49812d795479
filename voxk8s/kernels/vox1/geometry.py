"""Images that are made of a geometry alone: borders, indices and constants.

Each takes images, all of one geometry (else KernelError names two of them), and gives an image of
it. A plan binds a call without images to the images that the plan loads.
"""

from __future__ import annotations

import numpy as np

from voxk8s.describe import describe_geometry
from voxk8s.errors import KernelError
from voxk8s.kernels.images import float32_number, image_like, number, same_geometry
from voxk8s.values import Array, Image, Value


def border(*images: Value) -> Image:
    """Give the mask of the voxels that have some index at 0 or at its largest."""
    geometry = _geometry("border", images)
    mask = np.zeros(_shape(geometry), np.uint8)
    for axis in range(mask.ndim):
        faces = np.moveaxis(mask, axis, 0)
        faces[0] = faces[-1] = 1
    return image_like(geometry, mask, 1)


def x(*images: Value) -> Image:
    """Give each voxel's index along x, from 0, in float32."""
    return _indices("x", 0, images)


def y(*images: Value) -> Image:
    """Give each voxel's index along y, from 0, in float32."""
    return _indices("y", 1, images)


def z(*images: Value) -> Image:
    """Give each voxel's index along z, from 0, in float32; 0 in 2-D."""
    return _indices("z", 2, images)


def tt(*images: Value) -> Image:
    """Give the full mask."""
    return _filled("tt", np.uint8(1), images)


def ff(*images: Value) -> Image:
    """Give the empty mask."""
    return _filled("ff", np.uint8(0), images)


def constant(k: Value, *images: Value) -> Image:
    """Give the image that is `k` everywhere, in float32."""
    return _filled("constant", float32_number("constant", k), images)


def bconstant(b: Value, *images: Value) -> Image:
    """Give the full mask if `b` is true, else the empty one."""
    return _filled("bconstant", np.uint8(bool(number("bconstant", b))), images)


def _indices(kernel: str, axis: int, images: tuple[Value, ...]) -> Image:
    geometry = _geometry(kernel, images)
    shape = _shape(geometry)
    if axis >= len(shape):
        return _filled(kernel, np.float32(0), images)
    extent = shape[-1 - axis]
    line = np.arange(extent, dtype=np.float32).reshape(extent, *(1,) * axis)
    return image_like(geometry, np.ascontiguousarray(np.broadcast_to(line, shape)), 1)


def _filled(kernel: str, value: np.generic, images: tuple[Value, ...]) -> Image:
    geometry = _geometry(kernel, images)
    array: Array = np.full(_shape(geometry), value, dtype=value.dtype)
    return image_like(geometry, array, 1)


def _shape(image: Image) -> tuple[int, ...]:
    return image.array.shape[: image.dimension]


def _geometry(kernel: str, images: tuple[Value, ...]) -> Image:
    # A plan may load documents beside its images; they have no geometry and are passed over.
    found = [image for image in images if isinstance(image, Image)]
    if not found:
        raise KernelError(f"{kernel}: no image to take the geometry from; the plan loads none")
    first, *others = found
    for other in others:
        if not same_geometry(first, other):
            raise KernelError(
                f"{kernel}: the images that give the geometry differ: {describe_geometry(first)}"
                f" and {describe_geometry(other)}; give the one that is meant as an argument"
            )
    return first
