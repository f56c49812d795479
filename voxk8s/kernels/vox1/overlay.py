"""Overlays: masks shown in colour on an image in grey."""

from __future__ import annotations

from typing import Final

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import check_geometry, require_scalar_image
from voxk8s.kernels.images import as_float32, image_like, mask_voxels
from voxk8s.values import Image, Value

COLOURS: Final = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (0, 255, 255),
    (255, 0, 255),
)
"""Red, green, blue, yellow, cyan and magenta, for one layer after the other."""


def overlay(i: Value, *layers: Value) -> Image:
    """Return an 8-bit RGB image: `i` in grey, and each layer in a colour over it.

    Grey is 0 at the smallest finite value and 255 at the largest one; where a layer is not zero,
    the mean of what is below and its colour. KernelError for more than 6 layers, several channels,
    and images of different geometry.
    """
    image = require_scalar_image("overlay", i)
    if len(layers) > len(COLOURS):
        raise KernelError(f"overlay: expected at most {len(COLOURS)} layers, got {len(layers)}")
    grey = as_float32(image)
    finite = np.isfinite(grey)
    low = float(np.min(grey, where=finite, initial=np.inf))
    high = float(np.max(grey, where=finite, initial=-np.inf))
    if low > high:  # no value is finite
        low = high = 0.0
    scale = 255.0 / (high - low) if high > low else 0.0
    level = np.rint((np.clip(np.nan_to_num(grey, nan=low), low, high) - low) * scale)
    planes = [level.copy() for _ in range(3)]
    for layer, colour in zip(layers, COLOURS, strict=False):
        over = require_scalar_image("overlay", layer)
        check_geometry("overlay", image, over)
        inside = mask_voxels(over).view(np.bool_)
        for plane, value in zip(planes, colour, strict=True):
            # `plane[inside] = …` would hold the interpreter's lock.
            np.copyto(plane, (plane + np.float32(value)) / 2, where=inside)
    colours = np.empty((*level.shape, 3), np.uint8)
    for channel, plane in enumerate(planes):
        colours[..., channel] = plane
    return image_like(image, colours, 3)
