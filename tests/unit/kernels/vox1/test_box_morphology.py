"""Tests of near and interior against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from scipy import ndimage

from tests.support.images import call, image, mask, masks, voxels
from voxk8s.errors import KernelError
from voxk8s.values import Image


@given(a=masks())
def test_near_is_dilation_by_the_box(a: Image) -> None:
    """Near agrees with scipy's dilation by the full 3x3(x3) box, outside false."""
    box = np.ones((3,) * a.array.ndim, bool)
    expected = ndimage.binary_dilation(a.array.astype(bool), structure=box)
    before = a.array.copy()
    result = voxels("vox1.near", a)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(a.array, before)


@given(a=masks())
def test_interior_is_erosion_by_the_box(a: Image) -> None:
    """Interior agrees with scipy's erosion by the box, outside true, and with near's dual."""
    box = np.ones((3,) * a.array.ndim, bool)
    expected = ndimage.binary_erosion(a.array.astype(bool), structure=box, border_value=1)
    result = voxels("vox1.interior", a)
    np.testing.assert_array_equal(result, expected)
    dual = voxels("vox1.not", call("vox1.near", call("vox1.not", a)))
    np.testing.assert_array_equal(result, dual)


@pytest.mark.parametrize("width", [1, 7, 8, 9, 15, 16, 17, 64, 65])
def test_bytes_have_no_seams(width: int) -> None:
    """A voxel spreads to both sides wherever it lies within a byte of packed bits."""
    for place in range(width):
        line = np.zeros((1, width), np.uint8)
        line[0, place] = 1
        expected = np.zeros((1, width), np.uint8)
        expected[0, max(0, place - 1) : place + 2] = 1
        np.testing.assert_array_equal(voxels("vox1.near", mask(line)), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, np.bool_])
def test_what_is_not_zero_is_true(dtype: type[np.generic]) -> None:
    """Any voxel type serves as a mask."""
    array = np.zeros((3, 5), dtype)
    array[1, 2] = 2
    np.testing.assert_array_equal(
        voxels("vox1.near", image(array)), ndimage.binary_dilation(array, np.ones((3, 3), bool))
    )


def test_colour_is_refused() -> None:
    """A colour image is no mask, and the message says what to do."""
    with pytest.raises(KernelError, match=r"near.*one channel.*intensity"):
        call("vox1.near", image(np.zeros((2, 2, 3), np.uint8), channels=3))
    with pytest.raises(KernelError, match=r"near: expected an image, got the number 1\.0"):
        call("vox1.near", 1.0)


def test_geometry_is_kept() -> None:
    """The result lies where the argument lies."""
    a = mask(np.zeros((2, 3, 4)), (0.5, 1.0, 2.0))
    result = call("vox1.near", a)
    assert isinstance(result, Image)
    assert (result.spacing, result.origin, result.direction) == (a.spacing, a.origin, a.direction)


def test_arrays_in_any_order_of_memory() -> None:
    """A transposed or sliced array gives the same as its copy."""
    array = (np.random.default_rng(1).random((7, 9, 11)) < 0.2).astype(np.uint8)
    for view in (array.T, array[::2, ::-1, 1:], np.asfortranarray(array)):
        for name in ("near", "interior", "maxvol", "lcc", "dt"):
            np.testing.assert_array_equal(
                voxels(f"vox1.{name}", image(view)),
                voxels(f"vox1.{name}", image(np.ascontiguousarray(view))),
            )
