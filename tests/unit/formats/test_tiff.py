"""Tests of TIFF: kinds of voxels and pages that ITK reads wrongly."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from tests.unit.formats.tiff_files import write_tiff
from voxk8s.errors import InputUnavailable
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Array, Image

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
    """Samples that neither library reads as they are are an error that describes them."""
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


@pytest.mark.parametrize("voxels", [COLOUR, GREY], ids=["colour", "grey"])
def test_rotated_pages_are_rotated_back(voxels: Array, tmp_path: Path) -> None:
    """The orientation tag is applied, to the spacing as well, also where rows could be mapped."""
    path = tmp_path / "a.tif"
    exif = Pillow.Exif()
    exif[0x112] = 6
    Pillow.fromarray(voxels).save(path, exif=exif, dpi=(254, 127))
    value = _load(path)
    np.testing.assert_array_equal(value.array, np.rot90(voxels, -1))
    np.testing.assert_allclose(value.spacing, (0.2, 0.1))


def test_pages_in_tiles_are_a_volume(tmp_path: Path) -> None:
    """Pages that ITK does not read are stacked as it stacks others."""
    pages = [Pillow.fromarray(np.greater(GREY, level)) for level in (50, 100, 150)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    value = _load(tmp_path / "a.tif")
    assert value.spacing == (1.0, 1.0, 1.0)
    np.testing.assert_array_equal(value.array[2], np.uint8(255) * (GREY > 150))


@pytest.mark.parametrize(
    "kinds", [(2, 0, 0), (0, 2, 0), (2, 2, 2), (1, 0, 0), (0, 0, 1), (1, 0, 1)]
)
def test_kinds_of_pages_move_no_voxels(tmp_path: Path, kinds: tuple[int, ...]) -> None:
    """Pages are stacked in their order, and reduced copies (1) left out; ITK may crash on them."""
    path = tmp_path / "a.tif"
    pages = [Pillow.fromarray(np.full((6, 9), level, np.uint8)) for level in range(3)]
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    ifd[254] = 7
    pages[0].save(path, save_all=True, append_images=pages[1:], tiffinfo=ifd)
    content = bytearray(path.read_bytes())
    place = 0
    for kind in kinds:
        place = content.index(struct.pack("<HHII", 254, 4, 1, 7), place) + 8
        struct.pack_into("<I", content, place, kind)
    path.write_bytes(content)
    levels = [level for level, kind in enumerate(kinds) if kind != 1]
    array = _load(path).array
    assert (array[:, 0, 0] if array.ndim == 3 else array[:1, 0]).tolist() == levels
