"""Intensities, channels and colour images; masking.

Images have 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels. Channels and intensities are
float32 images with one channel and the geometry of the image.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import check_geometry, require_image, require_scalar_image
from voxk8s.kernels.images import as_float32, image_like, mask_voxels
from voxk8s.values import Float32Array, Image, MaskArray, Value

_OPAQUE: Final = np.float32(255)


def intensity(i: Value) -> Image:
    """Return the intensity in float32: grey, or 0.2126 R + 0.7152 G + 0.0722 B.

    Alpha is ignored. Source: the luminance of ITU-R BT.709.
    """
    image = require_image("intensity", i)
    if image.channels in (1, 2):
        return _colour("intensity", 0, image)
    _check_colour("intensity", image)
    grey = np.float32(0.2126) * _channel(image, 0)
    grey += np.float32(0.7152) * _channel(image, 1)
    grey += np.float32(0.0722) * _channel(image, 2)
    return image_like(image, grey, 1)


def red(i: Value) -> Image:
    """Return the red channel in float32; grey if the image has no colour."""
    return _colour("red", 0, i)


def green(i: Value) -> Image:
    """Return the green channel in float32; grey if the image has no colour."""
    return _colour("green", 1, i)


def blue(i: Value) -> Image:
    """Return the blue channel in float32; grey if the image has no colour."""
    return _colour("blue", 2, i)


def alpha(i: Value) -> Image:
    """Return the alpha channel in float32; 255 everywhere if the image has none."""
    image = require_image("alpha", i)
    if image.channels in (2, 4):
        return image_like(image, _channel(image, image.channels - 1), 1)
    if image.channels != 1:
        _check_colour("alpha", image)
    return image_like(image, np.full(image.array.shape[: image.dimension], _OPAQUE), 1)


def rgb(r: Value, g: Value, b: Value) -> Image:
    """Return a colour image of uint8 channels, clamped to 0..255 and rounded half to even.

    NaN becomes 0. KernelError if the geometries differ.
    """
    return _combine("rgb", r, g, b)


def rgba(r: Value, g: Value, b: Value, a: Value) -> Image:
    """Return a colour image with alpha, of channels as in `rgb`."""
    return _combine("rgba", r, g, b, a)


def mask(i: Value, m: Value) -> Image:
    """Return `i` where `m` is true and 0 elsewhere, in float32; a colour image keeps its dtype.

    KernelError if the geometries differ.
    """
    image, selector = require_image("mask", i), require_scalar_image("mask", m)
    check_geometry("mask", image, selector, channels=False)
    inside = mask_voxels(selector).view(np.bool_)
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
        raise KernelError(f"{kernel}: expected a grey, RGB or RGBA image, got {describe(image)}")


def _combine(kernel: str, *channels: Value) -> Image:
    first, *others = (require_scalar_image(kernel, channel) for channel in channels)
    check_geometry(kernel, first, *others)
    voxels: MaskArray = np.empty((*first.array.shape, len(channels)), np.uint8)
    for position, image in enumerate((first, *others)):
        values = np.nan_to_num(as_float32(image), nan=0.0, posinf=255.0, neginf=0.0)
        voxels[..., position] = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return image_like(first, voxels, len(channels))
