"""Voxels to 8 bits for the eye: windowed intensities, colours of labels, masks."""

from __future__ import annotations

from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from voxk8s.values import Array, Image

Pixels = NDArray[np.uint8]
WINDOW = (1.0, 99.0)
"""Percentiles of the voxels that become black and white."""
_SAMPLE = 500_000
"""Voxels of which percentiles and labels are taken."""
_MOST_LABELS = 64
_BITS = 255
PALETTE: Pixels = np.array(
    # Okabe and Ito: colour-blind people can tell them apart. Black is left out.
    [
        (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178),
        (213, 94, 0), (204, 121, 167),
    ],
    np.uint8,
)  # fmt: skip


class Kind(Enum):
    """What the voxels of an image are."""

    MASK = auto()
    LABELS = auto()
    INTENSITIES = auto()
    COLOURS = auto()


def kind_of(image: Image) -> Kind:
    """Return what an image seems to be.

    A mask is of type uint8 (or bool) with 0 and 1 only; labels are few integers from 0 on, in a
    volume: a flat image of few integers is rather a drawing.
    """
    array = image.array
    if image.channels != 1:
        return Kind.COLOURS
    if array.dtype == np.bool_ or (array.dtype == np.uint8 and array.size and array.max() <= 1):
        return Kind.MASK
    if image.dimension == 2 or not np.issubdtype(array.dtype, np.integer) or not array.size:
        return Kind.INTENSITIES
    if array.min() < 0 or len(np.unique(_sample(array))) > _MOST_LABELS:
        return Kind.INTENSITIES
    return Kind.LABELS if len(np.unique(array)) <= _MOST_LABELS else Kind.INTENSITIES


def window(image: Image) -> tuple[float, float]:
    """Return the values that become black and white.

    Of pictures in 8 bits that is the whole range: they are made for the eye already.
    """
    array = image.array
    if array.dtype == np.uint8 and image.dimension == 2:
        return 0.0, float(_BITS)
    values = _sample(array).astype(np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = (float(each) for each in np.percentile(values, WINDOW))
    if high <= low:  # Nearly all voxels are equal: the others must not be lost.
        low, high = float(values.min()), float(values.max())
    return low, high


def grey(pixels: Array, black: float, white: float) -> Pixels:
    """Return pixels in 8 bits; what is not a number is black."""
    scale = _BITS / (white - black) if white > black else 0.0
    values = np.nan_to_num(pixels.astype(np.float64), nan=black, posinf=white, neginf=black)
    found: Pixels = np.rint(np.clip((values - black) * scale, 0, _BITS)).astype(np.uint8)
    return found


def label_colours(labels: Array) -> Pixels:
    """Return RGB pixels: 0 is black, each other label has a colour, which may occur again."""
    numbers = labels.astype(np.int64)
    colours = PALETTE[(numbers - 1) % len(PALETTE)]
    found: Pixels = np.where((numbers > 0)[..., None], colours, np.uint8(0)).astype(np.uint8)
    return found


def _sample(array: Array) -> Array:
    """Return at most `_SAMPLE` voxels at equal distances."""
    step = -(-array.size // _SAMPLE) if array.size else 1
    if step == 1:
        return array.ravel()
    # An odd step is rarely in step with rows.
    return array.ravel()[:: step | 1]
