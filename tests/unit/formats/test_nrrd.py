"""Tests of NRRD: damaged voxels, and headers that name other files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.nrrd import data_file_name
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image

HERE = InputOptions()
VOXELS = np.arange(60, dtype="<i2").reshape(3, 4, 5)
GZIPPED = gzip.compress(VOXELS.tobytes(), mtime=0)
HALVES = (VOXELS.tobytes()[:50], VOXELS.tobytes()[50:])
HEADER = (
    "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\nendian: little\nencoding: {encoding}\n"
    "space: right-anterior-superior\nspace directions: (2,0,0) (0,3,0) (0,0,4)\n"
    "space origin: (1,2,3)\n{more}\n"
)


def _file(path: Path, data: bytes, encoding: str = "raw", more: str = "") -> Path:
    path.write_bytes(HEADER.format(encoding=encoding, more=more).encode() + data)
    return path


def _load(path: Path) -> Image:
    value = load_input(pin_input(str(path), HERE), HERE)
    assert isinstance(value, Image)
    return value


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (VOXELS.tobytes(), "raw"),
        (GZIPPED, "gzip"),
        (b"".join(gzip.compress(half, mtime=0) for half in HALVES), "gz"),
        (" ".join(map(str, VOXELS.ravel())).encode(), "ascii"),
        (VOXELS.tobytes().hex().encode(), "hex"),
    ],
)
def test_voxels_in_every_encoding(tmp_path: Path, data: bytes, encoding: str) -> None:
    """Encodings give the same voxels; the space of the header becomes ITK's."""
    value = _load(_file(tmp_path / "a.nrrd", data, encoding))
    np.testing.assert_array_equal(value.array, VOXELS)
    assert value.spacing == (2.0, 3.0, 4.0)
    assert value.origin == (-1.0, -2.0, 3.0)
    assert value.direction == (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)


def test_checksums_of_compressed_voxels_count(tmp_path: Path) -> None:
    """A wrong or missing byte in the voxels or in their checksum is found."""
    packed = GZIPPED
    for place in range(10, len(packed)):
        bad = bytearray(packed)
        bad[place] ^= 0xFF
        with pytest.raises(InputUnavailable, match=r"a\.nrrd: the NRRD file is (corr|trunc)"):
            _load(_file(tmp_path / "a.nrrd", bytes(bad), "gzip"))
    for missing in (1, 5, 9):
        with pytest.raises(InputUnavailable, match="the NRRD file is truncated"):
            _load(_file(tmp_path / "a.nrrd", packed[:-missing], "gzip"))


def test_no_other_file_of_the_machine_is_read(tmp_path: Path) -> None:
    """A header that names another file is refused, at whatever line."""
    secret = tmp_path / "secret"
    secret.write_bytes(VOXELS.tobytes())
    more = "# padding\n" * 600 + f"data file: {secret}\n"
    with pytest.raises(InputUnavailable, match="has its voxels in another file"):
        _load(_file(tmp_path / "a.nrrd", b"", more=more))
    with pytest.raises(InputUnavailable, match="header is corrupted or truncated"):
        _load(_file(tmp_path / "a.nrrd", b"", more="# padding\n" * 7000))


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"NRRD0004\ndata file: a.raw\n", "a.raw"),
        (b"NRRD0004\r\ndatafile: a.raw\r\n\r\n", "a.raw"),
        (b"NRRD0004\ntype: float\n\ndata file: b.raw\n", None),
    ],
)
def test_where_the_voxels_are(head: bytes, name: str | None) -> None:
    """Only the lines of the header count, not what looks like one in the voxels."""
    assert data_file_name(head) == name
