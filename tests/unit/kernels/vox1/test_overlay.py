"""Tests of overlays."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.images import image, mask
from voxk8s.errors import KernelError
from voxk8s.kernels.vox1.overlay import overlay


def test_layers_are_shown_in_colours_over_grey() -> None:
    """Half of what is below, half of the layer's colour."""
    grey = image(np.array([[0, 1, 2, np.inf]], np.float32))
    shown = overlay(grey, mask([[1, 0, 0, 0]]), mask([[0, 0, 1, 0]]))
    assert shown.channels == 3
    assert shown.array.dtype == np.uint8
    assert shown.array[0].tolist() == [[127, 0, 0], [128, 128, 128], [127, 255, 127], [255] * 3]


def test_a_flat_image_is_black() -> None:
    """There is nothing to scale."""
    assert not overlay(image(np.full((2, 2), 7.0))).array.any()


def test_layers_have_the_geometry_of_the_image() -> None:
    """And there are at most as many as colours."""
    with pytest.raises(KernelError, match="expected images of one geometry"):
        overlay(image(np.zeros((2, 2))), mask([[1]]))
    with pytest.raises(KernelError, match="at most 6 layers, got 7"):
        overlay(image(np.zeros((1, 1))), *[mask([[1]])] * 7)
