"""Voxels to 8 bits."""

from __future__ import annotations

import numpy as np
import pytest

from voxk8s.rendering import tones
from voxk8s.rendering.tones import Kind
from voxk8s.values import Array, Image


def volume(array: Array, channels: int = 1) -> Image:
    """Make a volume at the origin."""
    return Image(array, (1.0,) * 3, (0.0,) * 3, tuple(np.eye(3).ravel()), channels)


RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (volume(RANDOM.integers(0, 2, (4, 4, 4)).astype(np.uint8)), Kind.MASK),
        (volume(np.ones((4, 4, 4), np.bool_)), Kind.MASK),
        (volume(RANDOM.integers(0, 9, (4, 4, 4)).astype(np.int16)), Kind.LABELS),
        (volume(RANDOM.integers(-9, 9, (4, 4, 4)).astype(np.int16)), Kind.INTENSITIES),
        (volume(RANDOM.integers(0, 999, (9, 9, 9)).astype(np.int16)), Kind.INTENSITIES),
        (volume(RANDOM.integers(0, 2, (4, 4, 4)).astype(np.float32)), Kind.INTENSITIES),
        (volume(np.zeros((4, 4, 4, 3), np.uint8), 3), Kind.COLOURS),
    ],
    ids=lambda value: value.name if isinstance(value, Kind) else "",
)
def test_kinds(image: Image, kind: Kind) -> None:
    """Masks, labels, intensities and colours are told apart by type and values."""
    assert tones.kind_of(image) is kind


def test_a_few_hot_voxels_do_not_darken_the_rest() -> None:
    """The window leaves out a hundredth of the voxels at each end."""
    array = np.linspace(0, 1000, 8000, dtype=np.float32).reshape(20, 20, 20)
    array.flat[-5:] = 1e9
    black, white = tones.window(volume(array))
    assert (black, white) == pytest.approx((10, 990), rel=0.01)


def test_a_rare_value_is_seen() -> None:
    """Where nearly all voxels are equal, the window reaches to those that are not."""
    array = np.zeros((10, 10, 10), np.float32)
    array[5, 5, 5] = 3
    assert tones.window(volume(array)) == (0.0, 3.0)


def test_what_is_no_number() -> None:
    """NaN is black, infinities are the ends of the window."""
    pixels = np.array([np.nan, -np.inf, np.inf, 5.0])
    assert tones.grey(pixels, 0.0, 10.0).tolist() == [0, 0, 255, 128]
    assert tones.window(volume(np.full((2, 2, 2), np.nan))) == (0.0, 1.0)


def test_labels_have_colours() -> None:
    """Nothing is black, neighbours in number differ, and colours start again after the last."""
    colours = tones.label_colours(np.array([0, 1, 2, 8]))
    assert colours[0].tolist() == [0, 0, 0]
    assert colours[1].tolist() != colours[2].tolist()
    assert colours[1].tolist() == colours[3].tolist()
