"""Tests of PNG: checksums, and grey images with alpha."""

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


@pytest.mark.parametrize("mode", ["L", "LA", "RGB"])
def test_checksums_of_png_count(tmp_path: Path, mode: str) -> None:
    """A wrong byte anywhere, or a missing one, is found, whichever library reads the rest."""
    path = tmp_path / "a.png"
    Pillow.fromarray(COLOUR[:6, :6]).convert(mode).save(path)
    content = path.read_bytes()
    for place in range(8, len(content)):
        bad = bytearray(content)
        bad[place] ^= 0x20
        path.write_bytes(bad)
        with pytest.raises(InputUnavailable, match=r"a\.png: the PNG file"):
            _load(path)
    for missing in (1, 5, 12, 20):
        path.write_bytes(content[:-missing])
        with pytest.raises(InputUnavailable, match="the PNG file is truncated"):
            _load(path)


def test_what_follows_a_picture_is_passed_over(tmp_path: Path) -> None:
    """Programs put things behind the end of PNG and JPEG files: they are whole all the same."""
    for suffix in ("png", "jpg"):
        path = tmp_path / f"a.{suffix}"
        Pillow.fromarray(GREY).save(path, quality=100)
        path.write_bytes(path.read_bytes() + b"trailer " * 1000)
        np.testing.assert_allclose(_load(path).array.astype(int), GREY, atol=60)


def test_a_transparent_grey_is_an_alpha(tmp_path: Path) -> None:
    """A grey that a PNG names as transparent has alpha 0, all others 255."""
    Pillow.fromarray(GREY).save(tmp_path / "a.png", transparency=5)
    value = _load(tmp_path / "a.png")
    np.testing.assert_array_equal(value.array[..., 0], GREY)
    np.testing.assert_array_equal(value.array[..., 1], np.where(GREY == 5, 0, 255))
