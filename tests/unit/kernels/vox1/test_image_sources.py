"""Tests of border, indices and constants."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.images import call, image, mask, voxels
from voxk8s.errors import KernelError
from voxk8s.values import Image, Value


@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (2, 5), (3, 4, 5), (1, 3, 3), (4, 2, 1)])
def test_images_of_a_geometry(shape: tuple[int, ...]) -> None:
    """Border, indices and constants are what their definitions say."""
    geometry = image(np.zeros(shape, np.int16), (0.5,) * len(shape))
    indices = np.indices(shape)
    expected = np.zeros(shape, bool)
    for axis, extent in enumerate(shape):
        expected |= (indices[axis] == 0) | (indices[axis] == extent - 1)
    np.testing.assert_array_equal(voxels("vox1.border", geometry), expected)
    for name, axis in (("x", -1), ("y", -2), ("z", -3)):
        result = voxels(f"vox1.{name}", geometry)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, indices[axis] if len(shape) >= -axis else 0)
    np.testing.assert_array_equal(voxels("vox1.tt", geometry), np.ones(shape, np.uint8))
    np.testing.assert_array_equal(voxels("vox1.ff", geometry), np.zeros(shape, np.uint8))
    np.testing.assert_array_equal(voxels("vox1.constant", 2.5, geometry), np.full(shape, 2.5))
    np.testing.assert_array_equal(voxels("vox1.bconstant", True, geometry), np.ones(shape))
    border = call("vox1.border", geometry)
    assert isinstance(border, Image)
    assert border.spacing == geometry.spacing


def test_geometry_of_a_colour_image() -> None:
    """A colour image gives its geometry, not its channels."""
    result = call("vox1.tt", image(np.zeros((2, 2, 3), np.uint8), channels=3))
    assert isinstance(result, Image)
    assert (result.channels, result.array.shape) == (1, (2, 2))


def test_documents_have_no_geometry() -> None:
    """What a plan loads beside its images is passed over."""
    assert voxels("vox1.tt", {"a": 1}, mask([[0, 1]]), 3.0).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "expected an image to take the geometry from"),
        ((mask([[1]]), mask([[1, 0]])), "image 1x1 uint8.*image 1x2 uint8"),
        ((3.0, {"a": 1}), "expected an image to take the geometry from"),
    ],
)
def test_geometry_needs_one_answer(arguments: tuple[Value, ...], words: str) -> None:
    """Without an image, or with images that differ, there is no geometry."""
    with pytest.raises(KernelError, match=words):
        call("vox1.border", *arguments)
