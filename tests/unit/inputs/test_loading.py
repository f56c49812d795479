"""Tests of loading pinned local inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.inputs.saved_images import save_image
from voxk8s.errors import InputUnavailable
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image

ANY = InputOptions()


def test_a_file_is_read_with_its_geometry(tmp_path: Path) -> None:
    """Voxels and spacing of a pinned file are those of the image that was saved."""
    path = save_image(tmp_path / "a.mha", 2.5)
    value = load_input(pin_input(str(path), ANY), ANY)
    assert isinstance(value, Image)
    assert value.spacing == (1.0, 2.0, 3.0)
    np.testing.assert_array_equal(value.array, np.full((2, 3, 4), 2.5, np.float32))


def test_a_changed_file_is_never_used(tmp_path: Path) -> None:
    """Content that differs from the pin is an error with the URL."""
    path = save_image(tmp_path / "a.mha", 1.0)
    pin = pin_input(str(path), ANY)
    save_image(path, 2.0)
    with pytest.raises(InputUnavailable, match=r"a\.mha.*changed since the run began"):
        load_input(pin, ANY)
