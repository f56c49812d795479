"""Tests of the elements of DICOM files: missing bytes are found in every transfer syntax."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.unit.formats.dicom_files import JPEG, PLAIN, write_slice
from voxk8s.formats.dicom.elements import TRANSFER_SYNTAX, is_complete, parse_file_meta

IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
START = b"\0" * 128 + b"DICM"
UNDEFINED = 0xFFFFFFFF


@pytest.mark.parametrize(("syntax", "jpeg"), [(PLAIN, None), (JPEG, b"\xff\xd8 no picture")])
def test_every_cut_is_seen(tmp_path: Path, syntax: str, jpeg: bytes | None) -> None:
    """A file that ends within its voxels, encoded or not, is incomplete."""
    path = tmp_path / "a"
    write_slice(path, np.ones((4, 5), np.int16), (0.0, 0.0, 0.0), jpeg=jpeg)
    content = path.read_bytes()
    assert is_complete(path=str(path), syntax=syntax)
    for missing in range(1, 20):
        path.write_bytes(content[:-missing])
        assert not is_complete(str(path), syntax)


def test_a_length_beyond_the_end(tmp_path: Path) -> None:
    """An element that announces gigabytes in a small file makes the file incomplete."""
    path = tmp_path / "a"
    write_slice(path, np.ones((4, 5), np.int16), (0.0, 0.0, 0.0))
    content = path.read_bytes()
    place = content.index(struct.pack("<HH2s", 0x7FE0, 0x10, b"OW")) + 8
    path.write_bytes(content[:place] + struct.pack("<I", 0xFFFFFF00) + content[place + 4 :])
    assert not is_complete(str(path), PLAIN)


def _implicit(group: int, element: int, length: int, order: str = "<") -> bytes:
    return struct.pack(f"{order}HHI", group, element, length)


def test_other_syntaxes(tmp_path: Path) -> None:
    """Implicit VR, big endian and sequences of undefined length are followed."""
    path = tmp_path / "a"
    nested = (
        _implicit(0x0008, 0x1140, UNDEFINED)
        + _implicit(0xFFFE, 0xE000, UNDEFINED)
        + _implicit(0x0008, 0x1150, 4)
        + b"abcd"
        + _implicit(0xFFFE, 0xE00D, 0)
        + _implicit(0xFFFE, 0xE0DD, 0)
        + _implicit(0x7FE0, 0x0010, 6)
    )
    path.write_bytes(START + nested + b"voxels")
    assert is_complete(str(path), IMPLICIT)
    path.write_bytes(START + nested + b"voxel")
    assert not is_complete(str(path), IMPLICIT)
    big = struct.pack(">HH2sH", 0x0010, 0x0010, b"PN", 4) + b"name"
    path.write_bytes(START + big)
    assert is_complete(str(path), BIG_ENDIAN)
    path.write_bytes(START + big[:-1])
    assert not is_complete(str(path), BIG_ENDIAN)


def test_what_cannot_be_followed_is_left_to_the_reader(tmp_path: Path) -> None:
    """Deflated elements, and unknown ones of undefined length, are not checked."""
    path = tmp_path / "a"
    path.write_bytes(START + b"\x4b\x4c\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
    assert is_complete(str(path), DEFLATED)
    unknown = struct.pack("<HH2sxxI", 0x0009, 0x1001, b"UN", UNDEFINED)
    path.write_bytes(START + unknown + b"\xff" * 20)
    assert is_complete(str(path), PLAIN)


def test_file_meta_information_has_the_transfer_syntax(tmp_path: Path) -> None:
    """UIDs of group 2 are parsed without their padding; a head that is cut has fewer."""
    path = tmp_path / "a"
    write_slice(path, np.ones((4, 5), np.int16), (0.0, 0.0, 0.0))
    head = path.read_bytes()
    assert parse_file_meta(head)[TRANSFER_SYNTAX] == PLAIN
    assert TRANSFER_SYNTAX not in parse_file_meta(head[:150])
