"""Tests of JPEG: corrupted files are errors, and nothing is printed."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from voxk8s.errors import InputUnavailable
from voxk8s.formats.jpeg import capture_libjpeg_errors
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image, Value

HERE = InputOptions()
GREY = (np.add.outer(np.arange(40), np.arange(48)) * 3 % 256).astype(np.uint8)


def _jpeg(**how: object) -> bytearray:
    packed = io.BytesIO()
    Pillow.fromarray(GREY).save(packed, "JPEG", quality=95, **how)
    return bytearray(packed.getvalue())


def _load(path: Path, content: bytes | bytearray) -> Value:
    path.write_bytes(content)
    return load_input(pin_input(str(path), HERE), HERE)


@pytest.mark.parametrize("progressive", [False, True])
def test_broken_voxels_are_found(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], progressive: bool
) -> None:
    """What libjpeg prints and passes over is an error; nothing gets to standard output."""
    content = _jpeg(progressive=progressive)
    assert isinstance(_load(tmp_path / "a.jpg", content), Image)
    del content[-200:-160]
    with pytest.raises(InputUnavailable, match=r"a\.jpg: the JPEG file is corrupted: Corrupt JPEG"):
        _load(tmp_path / "a.jpg", content)
    content[2:4] = b"\xff\xdb"  # and a header that libjpeg complains of while it is read
    with pytest.raises(InputUnavailable, match="the JPEG file cannot be read"):
        _load(tmp_path / "a.jpg", content)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_a_jpeg_that_ends_too_early(tmp_path: Path) -> None:
    """A file without its end is truncated, wherever it was cut."""
    content = _jpeg()
    for length in range(len(content) // 2, len(content) - 1, 40):
        with pytest.raises(InputUnavailable, match=r"the JPEG file (is truncated|cannot be read)"):
            _load(tmp_path / "a.jpg", content[:length])


def test_bytes_between_remarks_are_harmless(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Cameras leave bytes before a remark; no voxel is lost by it."""
    content = _jpeg()
    content[20:20] = b"\0\0\xff\xe2\0\4ab"
    assert isinstance(_load(tmp_path / "a.jpg", content), Image)
    assert capfd.readouterr().out == ""


def test_what_others_print_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines that are not libjpeg's come out when the block ends, in their order."""
    with capture_libjpeg_errors(1) as found:
        os.write(1, b"volume=3.0\nCorrupt JPEG data: bad Huffman code\nCorrupt\nlast")
    assert found == ["Corrupt JPEG data: bad Huffman code"]
    assert capfd.readouterr().out == "volume=3.0\nCorrupt\nlast"


def test_the_stream_is_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    """Also after an error inside the block."""
    with pytest.raises(ValueError, match="inside"), capture_libjpeg_errors(1):
        raise ValueError("inside")
    os.write(1, b"after\n")
    assert capfd.readouterr().out == "after\n"


def test_a_jpeg_cannot_hold_more_than_its_bytes(tmp_path: Path) -> None:
    """A size of four billion voxels in a small file is an error; a large even image is not."""
    path = tmp_path / "a.jpg"
    Pillow.new("L", (4000, 3000), 7).save(path, optimize=True)
    content = bytearray(path.read_bytes())
    value = _load(path, content)
    assert isinstance(value, Image)
    assert value.array.shape == (3000, 4000)
    place = content.index(b"\xff\xc0") + 5
    struct.pack_into(">HH", content, place, 65500, 65500)
    with pytest.raises(InputUnavailable, match="too short for its size of 65500x65500"):
        _load(path, content)
