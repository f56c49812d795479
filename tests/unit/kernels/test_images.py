"""Tests of what kernels share on images: results on a grid, float32, masks, geometry."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tests.support.images import image
from voxk8s.kernels.images import as_float32, image_like, invert_mask, mask_voxels, same_geometry


def test_an_image_like_another_has_its_geometry() -> None:
    """The new image has the spacing, origin and direction of the other, and its own channels."""
    source = image(np.zeros((2, 3, 3), np.uint8), (0.5, 2.0), channels=3, origin=(1.0, 4.0))
    made = image_like(source, np.ones((2, 3)), 1)
    assert same_geometry(made, source)
    assert made.channels == 1
    assert image_like(source, source.array).channels == 3


def test_float32_is_not_copied() -> None:
    """Voxels in float32 are returned as they are."""
    source = image(np.zeros((2, 3), np.float32))
    assert as_float32(source) is source.array


def test_values_out_of_range_of_float32_are_infinite() -> None:
    """Large float64 voxels become infinities, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for dtype in ("<f8", ">f8", np.longdouble):
            voxels = np.array([[1e300, -1e300]], dtype)
            assert as_float32(image(voxels)).tolist() == [[np.inf, -np.inf]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.bool_])
def test_mask_voxels_are_zero_and_one(dtype: type[np.generic]) -> None:
    """A voxel of any dtype is true if it is not zero."""
    voxels = mask_voxels(image(np.array([[0, 3, 1]]).astype(dtype)))
    assert voxels.dtype == np.uint8
    assert voxels.tolist() == [[0, 1, 1]]
    assert invert_mask(voxels).tolist() == [[1, 0, 0]]


def test_geometries_are_equal_within_a_tolerance() -> None:
    """Differences up to 1e-5 are those of rounding in file formats."""
    source = image(np.zeros((2, 3)))
    assert same_geometry(source, image(np.zeros((2, 3)), (1.000009, 1.0)))
    assert not same_geometry(source, image(np.zeros((2, 3)), (1.00002, 1.0)))
    assert not same_geometry(source, image(np.zeros((2, 3)), origin=(0.0, 0.1)))
    assert not same_geometry(source, image(np.zeros((3, 2))))
