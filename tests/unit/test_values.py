"""Images and saved files as values."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from tests.support.plans_and_runs import image
from voxk8s.values import Image, SavedFile

IDENTITY = (1.0, 0.0, 0.0, 1.0)


def test_the_size_of_an_image_is_in_the_order_of_itk() -> None:
    """Arrays have the axes (z, y, x), sizes x, y, z."""
    assert (image((4, 5, 6)).size, image((4, 5, 6)).dimension) == ((6, 5, 4), 3)


def test_a_2d_image_has_two_axes() -> None:
    """Its size is x, y."""
    flat = Image(np.zeros((5, 6)), (1.0, 1.0), (0.0, 0.0), IDENTITY)
    assert (flat.size, flat.dimension) == ((6, 5), 2)


def test_channels_are_not_an_axis_of_space() -> None:
    """The last axis of a colour image is in neither the size nor the dimension."""
    colour = Image(np.zeros((5, 6, 3), "uint8"), (1.0, 1.0), (0.0, 0.0), IDENTITY, 3)
    assert (colour.size, colour.dimension) == ((6, 5), 2)


def test_images_are_compared_by_identity() -> None:
    """Images compare by identity, since arrays have no single truth value."""
    one = image()
    assert one == one  # the identity itself
    assert one != image()
    assert len({one, image()}) == 2


def test_an_image_cannot_be_given_another_array() -> None:
    """Operations share images."""
    with pytest.raises(FrozenInstanceError):
        image().array = np.zeros(3)  # type: ignore[misc]  # as intended


def test_the_bytes_of_a_saved_file_are_not_in_its_text() -> None:
    """A log or a traceback shows the type, not megabytes."""
    assert repr(SavedFile(b"x" * 1000, ".png", "image/png")) == (
        "SavedFile(suffix='.png', media_type='image/png')"
    )


def test_saved_files_are_compared_by_content() -> None:
    """Equal bytes with another suffix are another file."""
    file = SavedFile(b"1", ".txt", "text/plain")
    assert file == SavedFile(b"1", ".txt", "text/plain")
    assert file != SavedFile(b"2", ".txt", "text/plain")
    assert file != SavedFile(b"1", ".json", "text/plain")
