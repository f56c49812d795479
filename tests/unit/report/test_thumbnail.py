"""Small pictures of images."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow

from voxk8s.report.thumbnail import SIDE, thumbnail
from voxk8s.values import Array, Image


def image(array: Array, spacing: tuple[float, ...], channels: int = 1) -> Image:
    """Make an image at the origin."""
    axes = len(spacing)
    return Image(array, spacing, (0.0,) * axes, tuple(np.eye(axes).ravel()), channels)


def opened(found: Image) -> Pillow.Image:
    """Read the picture of an image."""
    preview = thumbnail(found)
    assert preview is not None
    assert preview.media_type == "image/png"
    return Pillow.open(BytesIO(preview.data))


def test_a_volume_shows_its_middle_slice() -> None:
    """Of five slices the third one, masks in black and white."""
    volume = np.zeros((5, 8, 10), np.uint8)
    volume[2] = 1
    picture = opened(image(volume, (1.0, 1.0, 1.0)))
    assert (picture.size, picture.mode) == ((10, 8), "L")
    assert picture.getextrema() == (255, 255)


def test_proportions_are_those_of_the_world() -> None:
    """Voxels that are twice as high as wide give a picture twice as high."""
    assert opened(image(np.zeros((100, 100)), (1.0, 2.0))).size == (100, 200)


def test_pictures_are_small() -> None:
    """The longer side has its limit, and noise in colour stays below 200 kB."""
    noise = np.random.default_rng(1).integers(0, 255, (500, 1000, 3), np.uint8)
    found = image(noise, (1.0, 1.0), 3)
    assert opened(found).size == (SIDE, SIDE // 2)
    square = thumbnail(image(noise[:, :500], (1.0, 1.0), 3))
    assert square is not None
    assert len(square.data) < 200_000


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colours_are_kept(channels: int) -> None:
    """Grey with alpha, RGB and RGBA are what they are."""
    found = image(np.full((4, 5, channels), 200, np.uint8), (1.0, 1.0), channels)
    assert len(opened(found).getbands()) == channels


@pytest.mark.parametrize("array", [np.zeros((0, 4, 4)), np.zeros((2, 3, 3, 7))])
def test_what_cannot_be_shown_has_no_picture(array: Array) -> None:
    """Neither an image without points nor one with seven channels."""
    channels = 7 if array.ndim == 4 else 1
    assert thumbnail(image(array, (1.0, 1.0, 1.0), channels)) is None


def test_values_that_are_no_numbers_are_black() -> None:
    """An image of NaN has a picture all the same."""
    assert opened(image(np.full((1, 5, 6), np.nan), (1.0, 1.0, 1.0))).getextrema() == (0, 0)
