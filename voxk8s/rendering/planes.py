"""Slices of images as they are looked at: by the radiological convention.

| plane | up | left of the picture | rows, columns |
|---|---|---|---|
| axial | anterior | the patient's right | y, x |
| coronal | superior | the patient's right | z, x |
| sagittal | superior | anterior | z, y |

A 2-D image has no plane of the body: it is shown as it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from voxk8s.values import Array, Image

FLAT = 2
"""Number of axes of an image that has no planes."""
_LONGEST = 20.0


class Plane(StrEnum):
    """A plane of the body."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @property
    def axis(self) -> int:
        """Axis of a radiological array (z, y, x) that is at right angles to this plane."""
        return list(Plane).index(self)


@dataclass(frozen=True, slots=True)
class Section:
    """A slice: pixels (rows from the top, columns from the left, channels if there are several).

    `spacing` is the size of a pixel in mm, across and down. `edges` are the letters of the sides
    of the body (R L A P S I) at the left, right, top and bottom; empty where that is unknown.
    """

    pixels: Array
    spacing: tuple[float, float]
    edges: tuple[str, str, str, str] = ("", "", "", "")


_EDGES = {
    Plane.AXIAL: ("R", "L", "A", "P"),
    Plane.CORONAL: ("R", "L", "S", "I"),
    Plane.SAGITTAL: ("A", "P", "S", "I"),
}


def cut(image: Image, plane: Plane, index: int) -> Section:
    """Return one slice of an image that `to_radiological` returned.

    `index` counts from the feet (axial), from the front (coronal) or from the patient's right
    (sagittal), from 0. Of a 2-D image, whatever the plane, all is returned.
    """
    if image.dimension == FLAT:
        return flat(image)
    pixels = np.take(image.array, index, plane.axis)
    left_to_right, front_to_back, feet_to_head = image.spacing
    match plane:
        case Plane.AXIAL:
            return Section(pixels, (left_to_right, front_to_back), _EDGES[plane])
        case Plane.CORONAL:
            return Section(pixels[::-1], (left_to_right, feet_to_head), _EDGES[plane])
        case Plane.SAGITTAL:
            return Section(pixels[::-1], (front_to_back, feet_to_head), _EDGES[plane])


def flat(image: Image) -> Section:
    """Return a 2-D image as it is stored."""
    across, down = image.spacing
    return Section(image.array, (across, down))


def main_plane(image: Image) -> Plane:
    """Return the plane that shows an image best if there is only one: axial, or its only slice."""
    if image.dimension == FLAT:
        return Plane.AXIAL
    return next((plane for plane in Plane if image.array.shape[plane.axis] == 1), Plane.AXIAL)


def square_pixels(section: Section, *, smooth: bool) -> Section:
    """Return a section with square pixels: the axis along which they are larger is enlarged.

    Those between are taken from the nearest, or with `smooth` linearly from both neighbours, and
    rounded where the pixels are integers. Pixels more than 20 times as long as wide, which are
    rather a fault of the file, are left as they are.
    """
    across, down = (abs(each) for each in section.spacing)
    if not across or not down or not 1 / _LONGEST <= across / down <= _LONGEST:
        return section
    axis, ratio = (0, down / across) if down > across else (1, across / down)
    side = min(across, down)
    pixels = _stretched(section.pixels, axis, ratio, smooth=smooth)
    return replace(section, pixels=pixels, spacing=(side, side))


def _stretched(pixels: Array, axis: int, ratio: float, *, smooth: bool) -> Array:
    count = pixels.shape[axis]
    wanted = round(count * ratio)
    places = np.clip((np.arange(wanted) + 0.5) * count / wanted - 0.5, 0, count - 1)
    if wanted == count:
        return pixels
    if not smooth:
        nearest: Array = pixels.take(np.rint(places).astype(np.intp), axis)
        return nearest
    before = np.floor(places).astype(np.intp)
    after = np.minimum(before + 1, count - 1)
    others = [other for other in range(pixels.ndim) if other != axis]
    weight = np.expand_dims(places - before, others)
    mixed = pixels.take(before, axis) * (1 - weight) + pixels.take(after, axis) * weight
    found: Array = np.rint(mixed) if np.issubdtype(pixels.dtype, np.integer) else mixed
    return found.astype(pixels.dtype)


def extent(image: Image, plane: Plane) -> tuple[float, float]:
    """Return width and height in mm of all slices of a plane."""
    size = [count * step for count, step in zip(image.size, image.spacing, strict=True)]
    if image.dimension == FLAT:
        return size[0], size[1]
    match plane:
        case Plane.AXIAL:
            return size[0], size[1]
        case Plane.CORONAL:
            return size[0], size[2]
        case Plane.SAGITTAL:
            return size[1], size[2]
