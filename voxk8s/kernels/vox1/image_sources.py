"""Images that depend on a geometry alone: border, indices and constants.

Each kernel takes images of one geometry and returns an image of it, with one channel. The planner
binds a call without images to all images that the plan loads. KernelError if there is no image, or
if two geometries differ.
"""

from __future__ import annotations

import numpy as np

from voxk8s.describe import describe_geometry
from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_float32, require_number
from voxk8s.kernels.images import image_like, same_geometry
from voxk8s.values import Array, Image, Value


def border(*images: Value) -> Image:
    """Return the mask of the outermost voxels: those with the first or last index of an axis."""
    geometry = _geometry("border", images)
    mask = np.zeros(_shape(geometry), np.uint8)
    for axis in range(mask.ndim):
        faces = np.moveaxis(mask, axis, 0)
        faces[0] = faces[-1] = 1
    return image_like(geometry, mask, 1)


def x(*images: Value) -> Image:
    """Return the index of each voxel along x, from 0, in float32."""
    return _indices("x", 0, images)


def y(*images: Value) -> Image:
    """Return the index of each voxel along y, from 0, in float32."""
    return _indices("y", 1, images)


def z(*images: Value) -> Image:
    """Return the index of each voxel along z, from 0, in float32; 0 in 2-D."""
    return _indices("z", 2, images)


def tt(*images: Value) -> Image:
    """Return the full mask."""
    return _fill("tt", np.uint8(1), images)


def ff(*images: Value) -> Image:
    """Return the empty mask."""
    return _fill("ff", np.uint8(0), images)


def constant(k: Value, *images: Value) -> Image:
    """Return the image with the value `k` everywhere, in float32."""
    return _fill("constant", require_float32("constant", k), images)


def bconstant(b: Value, *images: Value) -> Image:
    """Return the full mask if `b` is true, else the empty mask."""
    return _fill("bconstant", np.uint8(bool(require_number("bconstant", b))), images)


def _indices(kernel: str, axis: int, images: tuple[Value, ...]) -> Image:
    geometry = _geometry(kernel, images)
    shape = _shape(geometry)
    if axis >= len(shape):
        return _fill(kernel, np.float32(0), images)
    extent = shape[-1 - axis]
    line = np.arange(extent, dtype=np.float32).reshape(extent, *(1,) * axis)
    return image_like(geometry, np.ascontiguousarray(np.broadcast_to(line, shape)), 1)


def _fill(kernel: str, value: np.generic, images: tuple[Value, ...]) -> Image:
    geometry = _geometry(kernel, images)
    array: Array = np.full(_shape(geometry), value, dtype=value.dtype)
    return image_like(geometry, array, 1)


def _shape(image: Image) -> tuple[int, ...]:
    return image.array.shape[: image.dimension]


def _geometry(kernel: str, arguments: tuple[Value, ...]) -> Image:
    # A plan may load documents beside its images; they have no geometry and are ignored.
    images = [argument for argument in arguments if isinstance(argument, Image)]
    if not images:
        raise KernelError(f"{kernel}: expected an image to take the geometry from, found none")
    first, *others = images
    for other in others:
        if not same_geometry(first, other):
            raise KernelError(
                f"{kernel}: expected images of one geometry, got {describe_geometry(first)} and"
                f" {describe_geometry(other)}; pass the image to take the geometry from as an"
                " argument"
            )
    return first
