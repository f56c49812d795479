"""Pictures of whole images."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow

from voxk8s.rendering import describe_picture, draw, same_geometry
from voxk8s.rendering.figure import SIDE
from voxk8s.values import Array, Image

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.int_]]
RED, GREEN = np.array([255, 96, 48]), np.array([0, 158, 115])


def image(array: Array, spacing: tuple[float, ...], channels: int = 1) -> Image:
    """Make an image at the origin."""
    axes = len(spacing)
    return Image(array, spacing, (0.0,) * axes, tuple(np.eye(axes).ravel()), channels)


def pixels(one: Image, scan: Image | None = None) -> Pixels:
    """Draw an image; returns RGB."""
    data = draw(one, scan)
    assert data is not None
    return np.asarray(Pillow.open(BytesIO(data)).convert("RGB")).astype(int)


def near(found: Pixels, colour: Pixels) -> int:
    """Count pixels of about a colour."""
    return int((np.abs(found - colour).max(axis=-1) < 60).sum())


def test_a_volume_has_three_planes_in_true_proportions() -> None:
    """Side by side; a body twice as tall as wide is drawn so, whatever its voxels are."""
    found = pixels(image(np.zeros((20, 40, 40), np.float32), (1.0, 1.0, 4.0)))
    height, width, _ = found.shape
    assert height == pytest.approx(SIDE, abs=1)
    assert width == pytest.approx(3 * SIDE / 2 + 12, abs=2)


def test_a_small_mask_is_seen() -> None:
    """The planes go through it, wherever it is."""
    mask = np.zeros((60, 60, 60), np.uint8)
    mask[5:9, 50:54, 8:12] = 1
    found = pixels(image(mask, (1.0, 1.0, 1.0)))
    third = found.shape[1] // 3
    for panel in range(3):
        part = found[20:-20, panel * third + 15 : (panel + 1) * third - 15]
        assert near(part, np.array([255, 255, 255])) >= 100


def test_a_mask_lies_over_its_scan() -> None:
    """Its outline in red, the scan in grey around it and lightly tinted inside."""
    scan = image(np.tile(np.linspace(0, 100, 60, dtype=np.float32), (60, 60, 1)), (1.0, 1.0, 1.0))
    mask = np.zeros((60, 60, 60), np.uint8)
    mask[20:40, 20:40, 20:40] = 1
    found = pixels(image(mask, (1.0, 1.0, 1.0)), scan)
    assert near(found, RED) > 300
    grey = np.abs(found[..., 0] - found[..., 2]) < 20
    assert 0.5 < grey.mean() < 0.95


def test_labels_over_a_scan_keep_their_colours() -> None:
    """Each region has an outline in its own colour."""
    labels = np.zeros((60, 60, 60), np.uint16)
    labels[10:30, 10:30, 10:30], labels[35:55, 35:55, 35:55] = 3, 5
    scan = image(np.full((60, 60, 60), 7, np.int16), (1.0, 1.0, 1.0))
    assert near(pixels(image(labels, (1.0, 1.0, 1.0)), scan), GREEN) > 50


def test_an_image_is_not_hidden_by_its_scan() -> None:
    """What is neither a mask nor labels is shown itself, whatever it was computed from."""
    ramp = np.tile(np.linspace(0, 1, 60, dtype=np.float32), (60, 60, 1))
    result, scan = (image(each, (1.0, 1.0, 1.0)) for each in (ramp, ramp.transpose(0, 2, 1)))
    assert draw(result, scan) == draw(result)
    assert draw(result) != draw(scan)


def test_a_scan_of_another_geometry_is_left_out() -> None:
    """What lies elsewhere must not seem to lie here."""
    mask = image(np.ones((9, 9, 9), np.uint8), (1.0, 1.0, 1.0))
    other = image(np.ones((9, 9, 9), np.float32), (1.0, 1.0, 1.5))
    assert not same_geometry(mask, other)
    assert draw(mask, other) == draw(mask)


def test_proportions_of_flat_images() -> None:
    """Pixels that are twice as high as wide give a picture twice as high; nothing is written in."""
    found = pixels(image(np.zeros((100, 100), np.uint8), (1.0, 2.0)))
    assert found.shape[:2] == (200, 100)
    assert found.max() < 16


def test_one_slice_is_one_plane() -> None:
    """A volume of one slice is not shown from its edge."""
    assert pixels(image(np.zeros((1, 50, 40), np.float32), (1.0, 1.0, 5.0))).shape[:2] == (200, 160)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colours_are_drawn(channels: int) -> None:
    """Grey with alpha, RGB and RGBA."""
    assert pixels(image(np.full((40, 50, channels), 200, np.uint8), (1.0, 1.0), channels)).any()


@pytest.mark.parametrize("array", [np.zeros((0, 4, 4)), np.zeros((2, 3, 3, 7))])
def test_nothing_to_draw(array: Array) -> None:
    """An image without voxels, or with more channels than a picture has, has no picture."""
    assert draw(image(array, (1.0,) * 3, array.shape[3] if array.ndim > 3 else 1)) is None


def test_pictures_are_small() -> None:
    """Noise, which does not compress, stays below 100 kB."""
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 100)).astype(np.float32)
    data = draw(image(noise, (1.0, 1.0, 1.0)))
    assert data is not None
    assert len(data) < 100_000


def test_what_a_picture_shows_in_words() -> None:
    """Kind, number and size of voxels; the volume of a mask, the labels, the range of values."""
    mask = np.zeros((4, 5, 6), np.uint8)
    mask[1, :, :5] = 1
    spacing = (1.0, 2.0, 3.5)
    assert describe_picture(image(mask, spacing)) == (
        "mask of 6 × 5 × 4 voxels of 1 × 2 × 3.5 mm; 25 voxels in it (0.175 ml)"
    )
    assert describe_picture(image(mask.astype(np.int16) * 3, spacing)).endswith("; 1 label")
    floats = np.linspace(-1, 2, 120).reshape(4, 5, 6)
    assert describe_picture(image(floats, spacing)).endswith("; values from -1 to 2")
    colours = image(np.zeros((4, 5, 3), np.uint8), spacing[:2], 3)
    assert describe_picture(colours).startswith("image of 3 channels of 5 × 4 voxels of 1 × 2 mm")
