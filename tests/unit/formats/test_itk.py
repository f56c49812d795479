"""Tests of conversion from and to ITK's images."""

from __future__ import annotations

import numpy as np
import pytest

from voxk8s.errors import KernelError
from voxk8s.formats.itk import error_message, from_itk, sitk, to_itk
from voxk8s.values import Image

DIRECTION = (0.0, -1.0, 1.0, 0.0)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_survive_the_way_through_itk(channels: int) -> None:
    """Voxels, channels and geometry are the same after both conversions."""
    shape = (4, 5) if channels == 1 else (4, 5, channels)
    voxels = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    image = Image(voxels, (0.5, 2.0), (1.0, -3.0), DIRECTION, channels)
    result = from_itk(to_itk(image))
    np.testing.assert_array_equal(result.array, voxels)
    assert result.array.dtype == np.int16
    assert (result.spacing, result.origin) == (image.spacing, image.origin)
    assert (result.direction, result.channels) == (DIRECTION, channels)


@pytest.mark.parametrize(
    ("before", "after"), [(np.bool_, np.uint8), (np.float16, np.float32), (">i2", np.int16)]
)
def test_types_that_itk_does_not_have(before: object, after: object) -> None:
    """Masks, half floats and the other byte order become types of ITK with the same values."""
    voxels = np.eye(3).astype(before)  # type: ignore[call-overload]  # any kind of dtype
    image = Image(voxels, (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))
    array = sitk.GetArrayFromImage(to_itk(image))
    assert array.dtype == after
    np.testing.assert_array_equal(array, np.eye(3))


def test_a_fourth_axis_of_extent_one_is_dropped() -> None:
    """A time series is an error, one volume with a fourth axis is a volume."""
    assert from_itk(sitk.Image([4, 3, 2, 1], sitk.sitkUInt8)).array.shape == (2, 3, 4)
    with pytest.raises(KernelError, match=r"a 4-D image \(4x3x2x5\)"):
        from_itk(sitk.Image([4, 3, 2, 5], sitk.sitkUInt8))


def test_complex_voxels_are_refused() -> None:
    """They have no type here."""
    with pytest.raises(KernelError, match="complex"):
        from_itk(sitk.Image([4, 3], sitk.sitkComplexFloat32))


def test_the_last_line_with_words_is_the_message() -> None:
    """Addresses, the kind of error and numbers on lines of their own are no messages."""
    error = RuntimeError("sitk: trace\nITK ERROR: Filter(0x12ab): no such file\n1 0\n0 1")
    assert error_message(error) == "Filter: no such file 1 0 0 1"
    assert error_message(RuntimeError()) == "RuntimeError"
