"""Intensities, channels and colour images; masking.

Images have 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels. Channels and intensities are
float32 of one channel and of the image's geometry.
"""

from __future__ import annotations

import numpy as np

from voxk8s.describe import describe, describe_geometry
from voxk8s.errors import KernelError
from voxk8s.kernels.images import (
    as_float32,
    as_mask,
    check_geometry,
    image_like,
    require_image,
    same_geometry,
    scalar_image,
)
from voxk8s.values import Float32Array, Image, MaskArray, Value

_OPAQUE = np.float32(255)


def intensity(i: Value) -> Image:
    """Give one channel as float32: grey as it is, .2126 R + .7152 G + .0722 B of colour.

    Alpha is ignored. Source: the luminance of ITU-R BT.709.
    """
    image = require_image("intensity", i)
    if image.channels == 1:
        return image_like(image, as_float32(image))
    if image.channels == 2:
        return image_like(image, _channel(image, 0), 1)
    _check_colour("intensity", image)
    grey = np.float32(0.2126) * _channel(image, 0)
    grey += np.float32(0.7152) * _channel(image, 1)
    grey += np.float32(0.0722) * _channel(image, 2)
    return image_like(image, grey, 1)


def red(i: Value) -> Image:
    """Give the red channel as float32; of a grey image the grey."""
    return _colour("red", 0, i)


def green(i: Value) -> Image:
    """Give the green channel as float32; of a grey image the grey."""
    return _colour("green", 1, i)


def blue(i: Value) -> Image:
    """Give the blue channel as float32; of a grey image the grey."""
    return _colour("blue", 2, i)


def alpha(i: Value) -> Image:
    """Give the alpha channel as float32; 255 everywhere if the image has none."""
    image = require_image("alpha", i)
    if image.channels in (2, 4):
        return image_like(image, _channel(image, image.channels - 1), 1)
    if image.channels != 1:
        _check_colour("alpha", image)
    return image_like(image, np.full(image.array.shape[: image.dimension], _OPAQUE), 1)


def rgb(r: Value, g: Value, b: Value) -> Image:
    """Make a colour image of three images: 8-bit channels, clamped to 0..255, rounded half to even.

    NaN becomes 0. KernelError that names two images if their geometries differ.
    """
    return _combined("rgb", r, g, b)


def rgba(r: Value, g: Value, b: Value, a: Value) -> Image:
    """Make a colour image with alpha of four images, as `rgb` does."""
    return _combined("rgba", r, g, b, a)


def mask(i: Value, m: Value) -> Image:
    """Give `i` where `m` is true, 0 elsewhere: float32, or the same type for a colour image.

    KernelError that names both images if their geometries differ.
    """
    image, selector = require_image("mask", i), scalar_image("mask", m)
    if not same_geometry(image, selector):
        raise KernelError(
            f"mask: the images differ: {describe_geometry(image)} and"
            f" {describe_geometry(selector)}; resample one to the other"
        )
    inside = as_mask("mask", selector).view(np.bool_)
    if image.channels == 1:
        return image_like(image, np.where(inside, as_float32(image), np.float32(0)))
    voxels = np.where(inside[..., None], image.array, image.array.dtype.type(0))
    return image_like(image, voxels)


def _colour(kernel: str, channel: int, i: Value) -> Image:
    image = require_image(kernel, i)
    if image.channels == 1:
        return image_like(image, as_float32(image))
    if image.channels == 2:
        return image_like(image, _channel(image, 0), 1)
    _check_colour(kernel, image)
    return image_like(image, _channel(image, channel), 1)


def _channel(image: Image, channel: int) -> Float32Array:
    with np.errstate(over="ignore"):
        return image.array[..., channel].astype(np.float32)


def _check_colour(kernel: str, image: Image) -> None:
    if image.channels not in (3, 4):
        raise KernelError(f"{kernel}: {describe(image)} is no grey, RGB or RGBA image")


def _combined(kernel: str, *channels: Value) -> Image:
    first, *others = (scalar_image(kernel, channel) for channel in channels)
    check_geometry(kernel, first, *others)
    voxels: MaskArray = np.empty((*first.array.shape, len(channels)), np.uint8)
    for position, image in enumerate((first, *others)):
        values = np.nan_to_num(as_float32(image), nan=0.0, posinf=255.0, neginf=0.0)
        voxels[..., position] = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return image_like(first, voxels, len(channels))
