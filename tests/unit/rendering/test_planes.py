"""Slices by the radiological convention."""

from __future__ import annotations

import numpy as np
import pytest

from voxk8s.rendering import Plane, cut, to_radiological
from voxk8s.rendering.planes import extent
from voxk8s.values import Image

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SPACING = (1.0, 2.0, 3.0)


def body() -> Image:
    """Make a volume in which each of six voxels marks one side of the body by its letter."""
    array = np.zeros((5, 5, 5), np.uint8)
    array[2, 2, 0], array[2, 2, 4] = ord("R"), ord("L")  # x grows to the left
    array[2, 0, 2], array[2, 4, 2] = ord("A"), ord("P")  # y grows to the back
    array[0, 2, 2], array[4, 2, 2] = ord("I"), ord("S")  # z grows to the head
    return Image(array, SPACING, (0.0, 0.0, 0.0), IDENTITY)


def stored(image: Image, axes: tuple[int, int, int], flips: tuple[int, int, int]) -> Image:
    """Store the same body with other axes: `axes` and `flips` are in the order x, y, z."""
    order = [2 - axes[2 - axis] for axis in range(3)]
    array = image.array.transpose(order)[tuple(slice(None, None, flips[2 - a]) for a in range(3))]
    direction = np.zeros((3, 3))
    for axis, (body_axis, flip) in enumerate(zip(axes, flips, strict=True)):
        direction[body_axis, axis] = flip
    spacing = tuple(image.spacing[axis] for axis in axes)
    return Image(np.ascontiguousarray(array), spacing, (0.0,) * 3, tuple(direction.ravel()))


@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize(
    ("axes", "flips"),
    [
        ((0, 1, 2), (1, 1, 1)),
        ((0, 1, 2), (-1, -1, 1)),
        ((2, 0, 1), (1, -1, 1)),
        ((1, 2, 0), (-1, 1, -1)),
    ],
)
def test_letters_are_where_the_body_is(
    plane: Plane, axes: tuple[int, int, int], flips: tuple[int, int, int]
) -> None:
    """However a scan is stored, the sides of the body are at the edges that have their letters."""
    section = cut(to_radiological(stored(body(), axes, flips)), plane, 2)
    pixels = section.pixels
    seen = (pixels[2, 0], pixels[2, 4], pixels[0, 2], pixels[4, 2])
    assert tuple(chr(each) for each in seen) == section.edges


def test_the_convention() -> None:
    """The patient's right is at the left, and what is in front or above is on top."""
    edges = [cut(body(), plane, 2).edges for plane in Plane]
    assert edges == [("R", "L", "A", "P"), ("R", "L", "S", "I"), ("A", "P", "S", "I")]


def test_pixels_have_their_size() -> None:
    """Spacing across and down, and the extent in mm, follow the plane."""
    assert [cut(body(), plane, 2).spacing for plane in Plane] == [(1, 2), (1, 3), (2, 3)]
    assert [extent(body(), plane) for plane in Plane] == [(5, 10), (5, 15), (10, 15)]


def test_flat_images_are_as_they_are_stored() -> None:
    """A 2-D image has no sides of the body."""
    flat = Image(np.arange(6).reshape(2, 3), (1.0, 2.0), (0.0, 0.0), (0.0, 1.0, 1.0, 0.0))
    section = cut(flat, Plane.AXIAL, 0)
    np.testing.assert_array_equal(section.pixels, flat.array)
    assert (section.edges, section.spacing) == (("", "", "", ""), (1.0, 2.0))
