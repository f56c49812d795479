"""Tests of pictures: kinds of TIFF and PNG that ITK reads wrongly, and what is told broken."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.unit.formats.tiff_files import write_tiff
from voxk8s.errors import InputUnavailable
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.options import InputOptions
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image

HERE = InputOptions()
GREY = (np.add.outer(np.arange(20), np.arange(24)) * 5 % 256).astype(np.uint8)
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)


def _load(path: Path) -> Image:
    value = load_input(pin_input(str(path), HERE), HERE)
    assert isinstance(value, Image)
    return value


@pytest.mark.parametrize("tile", [None, 16])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "f4"])
def test_grey_of_every_kind(tmp_path: Path, kind: str, tile: int | None) -> None:
    """Strips and tiles give the voxels that are in the file, and their type."""
    voxels = GREY.astype(kind) * np.dtype(kind).type(3)
    write_tiff(tmp_path / "a.tif", voxels, tile=tile)
    value = _load(tmp_path / "a.tif")
    assert value.array.dtype == voxels.dtype
    np.testing.assert_array_equal(value.array, voxels)


@pytest.mark.parametrize(
    ("kind", "tile", "planar"),
    [("u1", None, False), ("u1", 16, False), ("u1", None, True), ("u2", None, False)],
)
def test_colour_in_every_layout(tmp_path: Path, kind: str, tile: int | None, planar: bool) -> None:
    """RGB is RGB, whether its samples lie together, in tiles or in planes."""
    voxels = COLOUR.astype(kind) * np.dtype(kind).type(3)
    write_tiff(tmp_path / "a.tif", voxels, tile=tile, planar=planar)
    value = _load(tmp_path / "a.tif")
    assert value.channels == 3
    np.testing.assert_array_equal(value.array, voxels)


@pytest.mark.parametrize(
    ("voxels", "tile", "planar"),
    [
        (GREY.astype(np.float16), None, False),
        (GREY.astype(np.float64), None, False),
        (COLOUR.astype(np.uint16), 16, False),
        (COLOUR.astype(np.uint16), None, True),
        (np.stack([GREY] * 2, axis=-1), None, False),
        (np.stack([GREY] * 5, axis=-1), None, False),
    ],
)
def test_what_would_be_changed_is_refused(
    tmp_path: Path, voxels: np.ndarray, tile: int | None, planar: bool
) -> None:
    """Samples that neither library reads as they are make an error that says what they are."""
    write_tiff(tmp_path / "a.tif", voxels, tile=tile, planar=planar, tags={262: 1})
    with pytest.raises(
        InputUnavailable, match=r"a\.tif: .*samples of \d+ bits in (strips|tiles|pl)"
    ):
        _load(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff(tmp_path: Path, compression: str) -> None:
    """Compression changes nothing."""
    Pillow.fromarray(COLOUR).save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(_load(tmp_path / "a.tif").array, COLOUR)


def test_other_colours(tmp_path: Path) -> None:
    """Black and white is 0 and 255; grey with alpha has two channels; CMYK becomes RGB."""
    path = tmp_path / "a.tif"
    for compression in ("raw", "group4"):
        Pillow.fromarray(GREY > 90).save(path, compression=compression)
        np.testing.assert_array_equal(_load(path).array, np.uint8(255) * (GREY > 90))
    Pillow.fromarray(np.dstack([GREY, 255 - GREY]), "LA").save(path)
    np.testing.assert_array_equal(_load(path).array, np.dstack([GREY, 255 - GREY]))
    Pillow.fromarray(COLOUR).convert("CMYK").save(path)
    np.testing.assert_array_equal(_load(path).array, COLOUR)


def test_turned_pages_are_turned_back(tmp_path: Path) -> None:
    """The orientation in a TIFF is obeyed, and spacing goes with its axis."""
    path = tmp_path / "a.tif"
    exif = Pillow.Exif()
    exif[0x112] = 6
    Pillow.fromarray(COLOUR).save(path, exif=exif, dpi=(254, 127))
    value = _load(path)
    np.testing.assert_array_equal(value.array, np.rot90(COLOUR, -1))
    np.testing.assert_allclose(value.spacing, (0.2, 0.1))


def test_pages_in_tiles_are_a_volume(tmp_path: Path) -> None:
    """Pages that ITK does not read are stacked as it stacks others."""
    pages = [Pillow.fromarray(np.greater(GREY, level)) for level in (50, 100, 150)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    value = _load(tmp_path / "a.tif")
    assert value.spacing == (1.0, 1.0, 1.0)
    np.testing.assert_array_equal(value.array[2], np.uint8(255) * (GREY > 150))


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
            continue  # the last bits of the last byte are nobody's
        with pytest.raises(InputUnavailable, match=r"a\.tif: the TIFF file is corrupted"):
            _load(path)
    write_tiff(path, GREY, packed=[packed[:-1]])
    with pytest.raises(InputUnavailable, match="compressed voxels without an end"):
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
    with pytest.raises(InputUnavailable, match="its pages have no end"):
        _load(path)


def test_sizes_that_the_file_cannot_have(tmp_path: Path) -> None:
    """A width of a billion in a small file is an error, not an allocation."""
    write_tiff(tmp_path / "a.tif", GREY, tile=16, tags={256: 10**9})
    with pytest.raises(InputUnavailable, match="too short for its width and length"):
        _load(tmp_path / "a.tif")


def test_a_jpeg_cannot_hold_more_than_its_bytes(tmp_path: Path) -> None:
    """A size of four billion voxels in a small file is an error; one colour all over is none."""
    path = tmp_path / "a.jpg"
    Pillow.new("L", (4000, 3000), 7).save(path, optimize=True)
    assert _load(path).array.shape == (3000, 4000)
    content = bytearray(path.read_bytes())
    place = content.index(b"\xff\xc0") + 5
    struct.pack_into(">HH", content, place, 65500, 65500)
    path.write_bytes(content)
    with pytest.raises(InputUnavailable, match="too short for its size of 65500x65500"):
        _load(path)


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


def test_bmp_is_whole(tmp_path: Path) -> None:
    """A BMP without its last bytes is truncated."""
    path = tmp_path / "a.bmp"
    Pillow.fromarray(COLOUR).save(path)
    np.testing.assert_array_equal(_load(path).array, COLOUR)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputUnavailable, match="the BMP file is truncated"):
        _load(path)
