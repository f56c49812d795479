"""Tests of intensities, channels, colour images and masking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from tests.support.images import call, image, mask, scalar_images, voxels
from voxk8s.errors import KernelError
from voxk8s.values import Image


@given(i=scalar_images((2, 3)))
def test_masking(i: Image) -> None:
    """Mask keeps what is inside and gives 0 outside, also for infinities."""
    array = i.array.copy()
    array[0, 0] = np.inf
    inside = mask([[0, 1, 1], [0, 0, 1]], i.spacing)
    result = voxels("vox1.mask", Image(array, i.spacing, i.origin, i.direction), inside)
    np.testing.assert_array_equal(result, np.where(inside.array, array, 0))


def test_masking_colour() -> None:
    """A colour image keeps its type and channels."""
    colour = image(np.full((1, 2, 3), 7, np.uint8), channels=3)
    result = call("vox1.mask", colour, mask([[1, 0]]))
    assert isinstance(result, Image)
    assert result.channels == 3
    assert result.array.tolist() == [[[7, 7, 7], [0, 0, 0]]]


def test_intensity_and_channels() -> None:
    """Colour has its luminance, channels are float32, alpha is 255 where there is none."""
    colour = image(np.array([[[10, 20, 30, 40]]], np.uint8), channels=4)
    expected = 0.2126 * 10 + 0.7152 * 20 + 0.0722 * 30
    assert voxels("vox1.intensity", colour).item() == pytest.approx(expected, rel=1e-6)
    for value, name in zip((10, 20, 30, 40), ("red", "green", "blue", "alpha"), strict=True):
        channel = call(f"vox1.{name}", colour)
        assert isinstance(channel, Image)
        assert (channel.channels, channel.array.dtype) == (1, np.dtype(np.float32))
        assert channel.array.item() == value
    grey = image(np.array([[5]], np.int16))
    assert voxels("vox1.intensity", grey).dtype == np.float32
    assert voxels("vox1.red", grey).item() == 5
    assert voxels("vox1.alpha", grey).item() == 255
    veiled = image(np.array([[[5, 9]]], np.uint8), channels=2)
    assert voxels("vox1.intensity", veiled).item() == 5
    assert voxels("vox1.alpha", veiled).item() == 9


def test_colour_images_are_made_of_channels() -> None:
    """Channels are clamped, rounded half to even, NaN is 0."""
    r = image(np.array([[-3, 0.5, 1.5, 999]], np.float32))
    g = image(np.array([[np.nan, 2.5, np.inf, -np.inf]], np.float32))
    result = call("vox1.rgb", r, g, r)
    assert isinstance(result, Image)
    assert (result.channels, result.array.dtype) == (3, np.dtype(np.uint8))
    assert result.array[0, :, 0].tolist() == [0, 0, 2, 255]
    assert result.array[0, :, 1].tolist() == [0, 2, 255, 0]
    four = call("vox1.rgba", r, r, r, r)
    assert isinstance(four, Image)
    assert four.channels == 4


def test_five_channels_have_no_alpha() -> None:
    """What is no grey, RGB or RGBA image is an error for every channel, alpha too."""
    strange = image(np.zeros((2, 2, 5), np.uint8), channels=5)
    for name in ("intensity", "red", "green", "blue", "alpha"):
        with pytest.raises(
            KernelError,
            match=rf"{name}: expected a grey, RGB or RGBA image, got image 2x2 uint8 x5",
        ):
            call(f"vox1.{name}", strange)
