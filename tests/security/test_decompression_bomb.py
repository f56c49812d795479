"""A small file that becomes huge when it is decoded is refused before it has taken memory."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path

import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input

MIB = 2**20


def _refused(path: Path, limits: DecodeLimits | None = None) -> str:
    options = InputOptions(limits=limits or DecodeLimits())
    with pytest.raises(InputUnavailable) as refused:
        load_input(pin_input(str(path), options), options)
    assert str(path) in str(refused.value)
    return str(refused.value)


def _gzip(*parts: bytes) -> bytes:
    stream = zlib.compressobj(9, wbits=31)
    return b"".join([*(stream.compress(part) for part in parts), stream.flush()])


def _png(width: int, height: int, bits: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + checksum

    row = bytes(1 + (width * bits + 7) // 8)
    stream = zlib.compressobj(9)
    voxels = b"".join([*(stream.compress(row) for _ in range(height)), stream.flush()])
    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", voxels) + chunk(b"IEND", b"")
    )


def _nifti(*dims: int) -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(dims), *dims, *[1] * (7 - len(dims)))
    struct.pack_into("<2h", head, 70, 2, 8)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", head, 108, 352)
    head[344:348] = b"n+1\0"
    return bytes(head)


def test_gzip_of_an_image(tmp_path: Path) -> None:
    """298 KiB that become 300 MiB of one value, as the header says, are refused in words."""
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(_gzip(_nifti(1024, 1024, 300), *[bytes(MIB)] * 300))
    assert path.stat().st_size < 350 * 1024
    assert "VOXK8S_INPUT_BYTES sets a limit that allows it" in _refused(path)


def test_gzip_of_nothing(tmp_path: Path) -> None:
    """What is no image is refused after its first bytes, without decompressing the others."""
    path = tmp_path / "bomb.gz"
    path.write_bytes(_gzip(*[bytes(MIB)] * 64))
    assert "not an image or document" in _refused(path, DecodeLimits(MIB))


def test_gzip_beyond_its_header(tmp_path: Path) -> None:
    """Decompression ends where the header says that the voxels end."""
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(_gzip(_nifti(4, 4, 4), *[bytes(MIB)] * 64))
    assert "more than the 416 bytes that its NIfTI header says" in _refused(path)


def test_png(tmp_path: Path) -> None:
    """A PNG of 147 KiB with 1.2 billion voxels is refused by its header."""
    path = tmp_path / "bomb.png"
    path.write_bytes(_png(40_000, 30_000, 1))
    assert path.stat().st_size < 200 * 1024
    assert "bytes become 1200000000 when they are decoded" in _refused(path)


def test_a_limit_of_the_settings(tmp_path: Path) -> None:
    """The maximum is a setting, for images of any kind; the default is a part of the memory."""
    path = tmp_path / "a.nii"
    path.write_bytes(_nifti(100, 100, 100) + bytes(1_000_000))
    limits = DecodeLimits.from_env({"VOXK8S_INPUT_BYTES": "900000"})
    assert "more than the limit of 900000; VOXK8S_INPUT_BYTES" in _refused(path, limits)
    assert 256 * MIB <= DecodeLimits.from_env({}).largest <= 8192 * MIB


def test_json(tmp_path: Path) -> None:
    """A document of empty lists would take 30 times its size: it is refused by counting them."""
    text = b"[" + b"[]," * 3_000_000 + b"[]]"
    plain, packed = tmp_path / "a.json", tmp_path / "a.json.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text, 9))
    for path in (plain, packed):
        assert "too many for the limit" in _refused(path, DecodeLimits(64 * MIB))


_DICOM_HEAD = bytes(128) + b"DICM"


def _element(group: int, element: int, kind: bytes, data: bytes) -> bytes:
    if kind in (b"OB", b"OW"):
        return struct.pack("<HH2sHI", group, element, kind, 0, len(data)) + data
    return struct.pack("<HH2sH", group, element, kind, len(data)) + data


def _dicom() -> bytes:
    """A head of 65535 x 65535 x 9999 voxels, and four of them."""
    meta = _element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0")
    return (
        _DICOM_HEAD
        + _element(2, 0, b"UL", struct.pack("<I", len(meta)))
        + meta
        + _element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.7\0")
        + _element(0x28, 2, b"US", b"\1\0")
        + _element(0x28, 4, b"CS", b"MONOCHROME2 ")
        + _element(0x28, 8, b"IS", b"9999")
        + _element(0x28, 0x10, b"US", b"\xff\xff")
        + _element(0x28, 0x11, b"US", b"\xff\xff")
        + _element(0x28, 0x100, b"US", b"\x10\0")
        + _element(0x28, 0x101, b"US", b"\x10\0")
        + _element(0x28, 0x102, b"US", b"\x0f\0")
        + _element(0x28, 0x103, b"US", b"\0\0")
        + _element(0x7FE0, 0x10, b"OW", bytes(8))
    )


def _tiff() -> bytes:
    tags = [(256, 4, 100_000), (257, 4, 100_000), (258, 3, 8), (259, 3, 1), (262, 3, 1)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 4, 100_000), (279, 4, 4)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = b"II*\0" + struct.pack("<IIH", 12, 0, len(tags))
    return head + entries + bytes(4)


_HEADS = {
    "nifti": _nifti(32_000, 32_000, 32_000) + bytes(8),
    "nrrd": b"NRRD0004\ntype: double\ndimension: 3\nsizes: 90000 90000 90000\n"
    b"endian: little\nencoding: raw\n\n" + bytes(8),
    "nrrd-gzip": b"NRRD0004\ntype: double\ndimension: 3\nsizes: 90000 90000 90000\n"
    b"endian: little\nencoding: gzip\n\n" + gzip.compress(bytes(8)),
    "nrrd-below-the-limit": b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 900 900 900\n"
    b"encoding: raw\n\n" + bytes(8),
    "metaimage": b"NDims = 3\nDimSize = 90000 90000 90000\nElementType = MET_DOUBLE\n"
    b"CompressedData = True\nElementDataFile = LOCAL\n" + zlib.compress(bytes(8)),
    "png": _png(8, 8, 8).replace(struct.pack(">II", 8, 8), struct.pack(">II", 2**30, 2**30)),
    "bmp": b"BM" + struct.pack("<IIIIiiHHI", 70, 0, 54, 40, 2**30, 2**30, 1, 24, 1) + bytes(36),
    "dicom": _dicom(),
    "tiff": _tiff(),
}  # fmt: skip


@pytest.mark.parametrize("name", _HEADS)
def test_a_head_that_claims_more_than_there_is(tmp_path: Path, name: str) -> None:
    """It is an error of that input, whatever it claims."""
    path = tmp_path / name
    path.write_bytes(_HEADS[name])
    assert len(_refused(path)) < 1000


def test_a_download_without_an_end(tmp_path: Path) -> None:
    """What another machine sends is not copied beyond the limit."""
    from tests.support.scripted_http import Answer, serving

    body = os.urandom(2 * MIB)
    options = InputOptions(limits=DecodeLimits(MIB))
    with serving(lambda *_: Answer(200, body, lasts=True)) as server:
        url = f"{server.endpoint}/a.nii"
        with pytest.raises(InputUnavailable, match="more than the limit"):
            pin_input(url, options)
