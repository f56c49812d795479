"""Tests of shapes drawn into 2-D images."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.images import image
from voxk8s.errors import KernelError
from voxk8s.kernels.geom.shapes import blank, circle, regular_polygon


def test_a_blank_image_has_height_and_width() -> None:
    """In this order; the value is 0 unless given."""
    made = blank(2, 3.0, 7)
    assert made.size == (3, 2)
    assert made.array.dtype == np.float32
    assert made.array.tolist() == [[7, 7, 7], [7, 7, 7]]
    assert not blank(2, 2).array.any()
    with pytest.raises(KernelError, match="blank: expected a height and a width"):
        blank(0, 3)
    with pytest.raises(KernelError, match="at most 268435456 pixels"):
        blank(2**20, 2**20)


def test_a_circle_includes_its_edge_and_is_cut_off() -> None:
    """The image given is not changed."""
    canvas = blank(3, 4)
    assert circle(canvas, 0, 1, 1, 5).array.tolist() == [[5, 0, 0, 0], [5, 5, 0, 0], [5, 0, 0, 0]]
    assert not canvas.array.any()


def test_a_square_has_a_corner_at_the_left() -> None:
    """A polygon of four sides with a radius of 2 is a diamond: |x| + |y| <= 2, up to rounding."""
    drawn = regular_polygon(blank(7, 7), 3, 3, 2, 4, 1).array
    y, x = np.mgrid[:7, :7]
    distance = abs(x - 3) + abs(y - 3)
    assert np.all(drawn[distance < 2] == 1)
    assert np.all(drawn[distance > 2] == 0)
    with pytest.raises(KernelError, match="at least 3 sides, got 2"):
        regular_polygon(blank(3, 3), 1, 1, 1, 2, 1)


def test_shapes_need_a_picture_and_a_radius() -> None:
    """Volumes have no single slice to draw into."""
    with pytest.raises(KernelError, match="circle: expected a 2-D image"):
        circle(image(np.zeros((2, 2, 2))), 0, 0, 1, 1)
    with pytest.raises(KernelError, match="circle: expected a radius from 1 on, got 0"):
        circle(blank(3, 3), 0, 0, 0, 1)
