"""Tests of the pages of TIFF files: damage that libtiff does not report."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.unit.formats.tiff_files import write_tiff
from voxk8s.errors import InputUnavailable
from voxk8s.formats.tiff_pages import read_pages
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


def test_pages_of_different_kinds_are_refused(tmp_path: Path) -> None:
    """ITK takes the first page's kind for all; here they must be alike."""
    path = tmp_path / "a.tif"
    for other in (COLOUR, GREY.astype(np.uint16)):
        pages = [Pillow.fromarray(GREY), Pillow.fromarray(other)]
        pages[0].save(path, save_all=True, append_images=pages[1:])
        with pytest.raises(InputUnavailable, match=r"pages of different kinds \(1 samples of 8 b"):
            _load(path)


def _inflated(packed: bytes) -> bytes | None:
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return None


def test_checksums_of_deflated_tiff_count(tmp_path: Path) -> None:
    """A wrong byte in a deflated strip is found, unless it changes no voxel."""
    path = tmp_path / "a.tif"
    packed = zlib.compress(GREY.tobytes())
    for place in range(2, len(packed)):
        bad = bytearray(packed)
        bad[place] ^= 0x10
        write_tiff(path, GREY, packed=[bytes(bad)])
        if _inflated(bytes(bad)) == GREY.tobytes():
            continue  # the last bits of the last byte are padding
        with pytest.raises(InputUnavailable, match=r"a\.tif: the TIFF file is (corr|trunc)"):
            _load(path)
    write_tiff(path, GREY, packed=[packed[:-1]])
    with pytest.raises(
        InputUnavailable, match="the TIFF file is truncated, or its compressed data"
    ):
        _load(path)


def test_pages_in_a_circle(tmp_path: Path) -> None:
    """A page that is followed by itself is an error; libtiff would never come to an end."""
    path = tmp_path / "a.tif"
    write_tiff(path, GREY)
    content = bytearray(path.read_bytes())
    (place,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, place)
    struct.pack_into("<I", content, place + 2 + 12 * entries, place)
    path.write_bytes(content)
    with pytest.raises(InputUnavailable, match="its pages form a cycle"):
        _load(path)


def test_sizes_that_the_file_cannot_have(tmp_path: Path) -> None:
    """A width of a billion in a small file is an error, not an allocation."""
    write_tiff(tmp_path / "a.tif", GREY, tile=16, tags={256: 10**9})
    with pytest.raises(InputUnavailable, match="too short for its width and length"):
        _load(tmp_path / "a.tif")


def test_a_count_beyond_the_file_is_refused_at_once(tmp_path: Path) -> None:
    """A tag with four billion values costs neither time nor memory."""
    path = tmp_path / "a.tif"
    write_tiff(path, GREY)
    content = bytearray(path.read_bytes())
    place = content.index(struct.pack("<HHI", 273, 4, 1))
    struct.pack_into("<I", content, place + 4, 2**32 - 1)
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(InputUnavailable, match="the TIFF file is truncated"):
            read_pages("a.tif", str(path), lambda _: None)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
