"""Tests of NIfTI: pairs of files, and invalid headers."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.encode_file import encode_file
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image

HERE = InputOptions()
DIRECTION = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
VOXELS = np.arange(60, dtype=np.int16).reshape(3, 4, 5)


def _plain() -> bytearray:
    image = Image(VOXELS, (0.5, 1.0, 2.5), (-3.0, 4.0, 10.0), DIRECTION)
    return bytearray(encode_file(image, ".nii").data)


def _load(path: Path) -> Image:
    value = load_input(pin_input(str(path), HERE), HERE)
    assert isinstance(value, Image)
    return value


def test_a_pair_of_files_is_one_image(tmp_path: Path) -> None:
    """The voxels of a header are in the .img file next to it; both files are the input."""
    content = _plain()
    content[344:348] = b"ni1\0"
    struct.pack_into("<f", content, 108, 0.0)
    path, voxels = tmp_path / "scan.hdr", tmp_path / "scan.img"
    path.write_bytes(content[:348])
    with pytest.raises(InputUnavailable, match=r"scan\.img: it does not exist"):
        _load(path)
    voxels.write_bytes(VOXELS.tobytes())
    value = _load(path)
    np.testing.assert_array_equal(value.array, VOXELS)
    np.testing.assert_allclose(value.direction, DIRECTION, atol=1e-6)
    before = pin_input(str(path), HERE).digest
    voxels.write_bytes(VOXELS.tobytes()[:-2])
    assert pin_input(str(path), HERE).digest != before
    with pytest.raises(InputUnavailable, match=r"scan\.hdr: the NIfTI file is truncated"):
        _load(path)
    with pytest.raises(InputUnavailable, match=r"scan\.img: .*load the \.hdr file"):
        _load(voxels)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([("<h", 42, 0)], r"an image without voxels \(0x4x3\)"),
        ([("<h", 42, -5)], "an image without voxels"),
        ([("<h", 40, 1)], r"a 1-D image \(5\); only 2-D and 3-D"),
        ([("<h", 40, 0)], "it has 0 axes"),
        ([("<h", 40, 4), ("<h", 46, 1), ("<h", 48, 3)], r"a 4-D image \(5x4x1x3, x y z t\)"),
        ([("<h", 70, 1)], "voxels of type 1 are not supported"),
        ([("<h", 70, 64)], "truncated"),  # whatever the header says of bits
        ([("<f", 80, float("nan"))], "its spacing has numbers that are not finite"),
        ([("<f", 80, 0.0)], "a spacing of 0"),
        ([("<f", 268, float("inf"))], "its qform has numbers that are not finite"),
        ([("<f", 280, float("nan"))], "its sform has numbers that are not finite"),
        ([("<h", 252, 0), ("<f", 280, 0.4)], "axes of the image are not at right angles"),
        ([("<f", 108, 0.0)], "its voxels start at 0"),
        ([("<f", 108, float("nan"))], "its voxels start at nan"),
        ([("<f", 108, 1e30)], "truncated"),
    ],
)
def test_invalid_headers_are_refused(
    tmp_path: Path, changes: list[tuple[str, int, float]], words: str
) -> None:
    """Each is an error with the reason, where ITK would invent geometry or voxels."""
    content = _plain()
    for form, place, number in changes:
        struct.pack_into(form, content, place, number)
    path = tmp_path / "a.nii"
    path.write_bytes(content)
    with pytest.raises(InputUnavailable, match=rf"a\.nii: .*{words}"):
        _load(path)


def test_an_axis_of_one_voxel_needs_no_spacing(tmp_path: Path) -> None:
    """A slice without a thickness in the header is read."""
    content = _plain()
    struct.pack_into("<h", content, 46, 1)
    struct.pack_into("<f", content, 88, 0.0)
    path = tmp_path / "a.nii"
    path.write_bytes(content)
    assert _load(path).array.shape == (1, 4, 5)


def test_vectors_are_channels(tmp_path: Path) -> None:
    """A fifth axis is that of the channels if the header says that voxels are vectors."""
    content = _plain()
    struct.pack_into("<6h", content, 40, 5, 5, 4, 1, 1, 3)
    path = tmp_path / "a.nii"
    path.write_bytes(content)
    with pytest.raises(InputUnavailable, match=r"a 5-D image \(5x4x1x1x3"):
        _load(path)
    struct.pack_into("<h", content, 68, 1007)
    path.write_bytes(content)
    assert _load(path).channels == 3
