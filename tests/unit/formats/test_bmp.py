"""Tests of BMP: files that are cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from voxk8s.errors import InputUnavailable
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image

HERE = InputOptions()
GREY = (np.add.outer(np.arange(20), np.arange(24)) * 5 % 256).astype(np.uint8)
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)


def _load(path: Path) -> Image:
    value = load_input(pin_input(str(path), HERE), HERE)
    assert isinstance(value, Image)
    return value


def test_bmp_is_whole(tmp_path: Path) -> None:
    """A BMP without its last bytes is truncated."""
    path = tmp_path / "a.bmp"
    Pillow.fromarray(COLOUR).save(path)
    np.testing.assert_array_equal(_load(path).array, COLOUR)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputUnavailable, match="the BMP file is truncated"):
        _load(path)
