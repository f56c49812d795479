"""Tests of MetaImage: valid and invalid headers, and damaged voxels."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.metaimage import parse_header
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image

HERE = InputOptions()
VOXELS = np.arange(60, dtype="<i2").reshape(3, 4, 5)
HEADER = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "0 -1 0 1 0 0 0 0 1",
    "Offset": "1 2.5 -3",
    "ElementSpacing": "0.5 1 2",
    "DimSize": "5 4 3",
    "ElementType": "MET_SHORT",
}


def _file(path: Path, data: bytes, separator: str = " = ", **fields: str) -> Path:
    lines = [f"{key}{separator}{value}" for key, value in {**HEADER, **fields}.items()]
    if "ElementDataFile" not in fields:
        lines.append(f"ElementDataFile{separator}LOCAL")
    path.write_bytes("\n".join([*lines, ""]).encode() + data)
    return path


def _load(path: Path) -> Image:
    value = load_input(pin_input(str(path), HERE), HERE)
    assert isinstance(value, Image)
    return value


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (VOXELS.tobytes(), {}),
        (VOXELS.tobytes() + b"more", {}),
        (VOXELS.astype(">i2").tobytes(), {"BinaryDataByteOrderMSB": "True"}),
        (VOXELS.astype(">i2").tobytes(), {"ElementByteOrderMSB": "True"}),
        (b"lead" + VOXELS.tobytes(), {"HeaderSize": "-1"}),
        (zlib.compress(VOXELS.tobytes()), {"CompressedData": "True"}),
        (gzip.compress(VOXELS.tobytes(), mtime=0), {"CompressedData": "True"}),
        (" ".join(map(str, VOXELS.ravel())).encode(), {"BinaryData": "False"}),
        (VOXELS.astype("<i4").tobytes(), {"ElementType": "MET_LONG"}),
    ],
)
def test_voxels_in_every_form(tmp_path: Path, data: bytes, fields: dict[str, str]) -> None:
    """Byte orders, compression, text and skipped bytes give the same voxels and geometry."""
    value = _load(_file(tmp_path / "a.mha", data, **fields))
    np.testing.assert_array_equal(value.array, VOXELS)
    assert value.spacing == (0.5, 1.0, 2.0)
    assert value.origin == (1.0, 2.5, -3.0)
    assert value.direction == (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def test_broken_compression_is_no_image(tmp_path: Path) -> None:
    """Compressed voxels with a wrong byte, or too few, are refused, unlike in MetaIO."""
    packed = zlib.compress(VOXELS.tobytes())
    for place in range(2, len(packed)):
        bad = bytearray(packed)
        bad[place] ^= 0xFF
        with pytest.raises(InputUnavailable, match=r"a\.mha: the MetaImage file is (corr|trunc)"):
            _load(_file(tmp_path / "a.mha", bytes(bad), CompressedData="True"))
    for data in (packed[:-1], b""):
        with pytest.raises(InputUnavailable, match="the MetaImage file is truncated"):
            _load(_file(tmp_path / "a.mha", data, CompressedData="True"))
    for other in (VOXELS.tobytes()[:-2], VOXELS.tobytes() + b"12"):
        with pytest.raises(InputUnavailable, match="not the 120 bytes that DimSize says"):
            _load(_file(tmp_path / "a.mha", zlib.compress(other), CompressedData="True"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"NDims": "10000"}, "DimSize is '5 4 3'"),  # MetaIO aborts the process
        ({"NDims": "three"}, "NDims is 'three'"),
        ({"DimSize": "5 4 x"}, "DimSize is '5 4 x'"),
        ({"DimSize": "5 0 3"}, r"an image without voxels \(5x0x3\)"),
        ({"DimSize": "5 -4 3"}, "an image without voxels"),
        ({"DimSize": "5 4 4"}, "truncated"),
        ({"DimSize": "50000 50000 50000"}, "more than the limit"),
        ({"NDims": "4", "DimSize": "5 3 2 2"}, r"a 4-D image \(5x3x2x2, x y z t\).*one volume"),
        ({"NDims": "1", "DimSize": "5"}, "a 1-D image"),
        ({"ElementType": "MET_STRING"}, "MET_STRING are not supported"),
        ({"ElementNumberOfChannels": "0"}, "ElementNumberOfChannels is '0'"),
        ({"Offset": "nan 0 0"}, "Offset is 'nan 0 0'"),
        ({"ElementSpacing": "1 1 one"}, "ElementSpacing is '1 1 one'"),
        ({"ElementSpacing": "0 1 1"}, "spacing"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "determinant is 0"),
        ({"HeaderSize": "16"}, "HeaderSize is '16'"),
    ],
)
def test_invalid_headers_are_refused(tmp_path: Path, fields: dict[str, str], words: str) -> None:
    """Each is an error that names the field or the reason."""
    with pytest.raises(InputUnavailable, match=rf"a\.mha: .*{words}"):
        _load(_file(tmp_path / "a.mha", VOXELS.tobytes(), **fields))


@pytest.mark.parametrize("separator", [" = ", " : ", ":"])
@pytest.mark.parametrize("padding", [0, 6000])
def test_no_other_file_of_the_machine_is_read(tmp_path: Path, separator: str, padding: int) -> None:
    """A file elsewhere is not opened, in any syntax and at any place of the header."""
    secret = tmp_path / "secret"
    secret.write_bytes(VOXELS.tobytes())
    path = tmp_path / "a.mha"
    _file(path, b"", separator, Comment="x" * padding, ElementDataFile=str(secret))
    with pytest.raises(InputUnavailable, match="has its voxels in another file"):
        _load(path)


def test_a_header_without_an_end(tmp_path: Path) -> None:
    """A header without its last line, or with a line that is not a field, is refused."""
    path = tmp_path / "a.mha"
    for content in (
        b"NDims = 3\nDimSize = 1 1 1\n",
        b"NDims = 3\nno field\nElementDataFile = LOCAL",
    ):
        path.write_bytes(content)
        with pytest.raises(InputUnavailable, match="header is corrupted or truncated"):
            _load(path)


def test_headers_in_other_line_ends() -> None:
    """Lines may end with CR LF; the header ends with the line that names the data file."""
    header = parse_header(b"NDims = 2\r\nElementDataFile = LOCAL\r\n\x01\x02")
    assert header is not None
    assert header.fields == {"NDims": "2", "ElementDataFile": "LOCAL"}
    assert header.end == 36
