"""Tests of Pillow's errors as errors of an input."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as Pillow

from voxk8s.errors import InputUnavailable
from voxk8s.formats.pillow import open_image


def test_errors_name_the_input_and_not_the_path(tmp_path: Path) -> None:
    """What Pillow raises for a damaged file becomes an error with the URL."""
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG")
    with (
        pytest.raises(InputUnavailable, match="s3://a: the PNG file cannot be read") as caught,
        open_image("s3://a", str(path), "PNG"),
    ):
        pass
    assert str(tmp_path) not in str(caught.value)


def test_errors_inside_the_block_are_converted(tmp_path: Path) -> None:
    """Errors of decoding become errors of the input as well, with the detail."""
    path = tmp_path / "a.png"
    Pillow.new("L", (2, 2)).save(path)
    with (
        pytest.raises(InputUnavailable, match=r"cannot be read \(odd\); .*: no such mode"),
        open_image("s3://a", str(path), "PNG", " (odd)"),
    ):
        raise ValueError("no such mode")
