"""Slices by the radiological convention."""

from __future__ import annotations

import numpy as np
import pytest

from voxk8s.rendering import Plane, Section, cut, main_plane, square_pixels, to_radiological
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


def test_the_only_slice() -> None:
    """A volume of one slice shows that one, whichever way it was taken."""
    shapes = ((1, 4, 5), (3, 1, 5), (3, 4, 1), (3, 4, 5))
    found = [main_plane(Image(np.zeros(s), SPACING, (0.0,) * 3, IDENTITY)) for s in shapes]
    assert found == [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL, Plane.AXIAL]


def test_square_pixels() -> None:
    """The axis with larger pixels is enlarged, by the nearest pixels or linearly."""
    pixels = np.array([[0, 100], [200, 100]], np.uint8)
    tall = Section(pixels, (1.0, 2.0))
    assert square_pixels(tall, smooth=False).pixels.tolist() == [[0, 100]] * 2 + [[200, 100]] * 2
    assert square_pixels(tall, smooth=True).pixels[:, 0].tolist() == [0, 50, 150, 200]
    wide = square_pixels(Section(pixels, (2.0, 1.0)), smooth=True)
    assert wide.pixels[0].tolist() == [0, 25, 75, 100]
    assert wide.pixels.dtype == np.uint8
    assert wide.spacing == (1.0, 1.0)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 1e9), (0.0, 1.0)])
def test_pixels_that_are_left_as_they_are(spacing: tuple[float, float]) -> None:
    """Square ones, and those of an absurd shape."""
    pixels = np.zeros((3, 4), np.uint8)
    assert square_pixels(Section(pixels, spacing), smooth=True).pixels.shape == (3, 4)
