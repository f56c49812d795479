"""Tests of reading files: formats by content, geometry, and errors for damaged files."""

from __future__ import annotations

import gzip
import locale
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image as Pillow

from tests.support.images import image
from voxk8s.errors import InputUnavailable
from voxk8s.formats.encode_file import encode_file
from voxk8s.formats.itk import to_itk
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input, stat
from voxk8s.values import Image, Value

HERE = InputOptions()
DIRECTION = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
TYPES = (
    np.int8,
    np.uint8,
    np.int16,
    np.uint16,
    np.int32,
    np.uint32,
    np.float32,
    np.float64,
)


def _load(path: Path) -> Value:
    return load_input(pin_input(str(path), HERE), HERE)


def _volume(dtype: type[np.generic] = np.float32) -> Image:
    array = np.arange(60).reshape(3, 4, 5).astype(dtype)
    return Image(array, (0.5, 1.0, 2.5), (-3.0, 4.0, 10.0), DIRECTION)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".mhd", ".nrrd"])
@pytest.mark.parametrize("dtype", TYPES)
def test_volumes_survive(tmp_path: Path, suffix: str, dtype: type[np.generic]) -> None:
    """Voxels, their type and the geometry come back as they were, whatever the file's name."""
    before = _volume(dtype)
    path = tmp_path / "no-suffix"
    path.write_bytes(encode_file(before, suffix).data)
    after = _load(path)
    assert isinstance(after, Image)
    assert after.array.dtype == before.array.dtype
    np.testing.assert_array_equal(after.array, before.array)
    np.testing.assert_allclose(after.spacing, before.spacing, atol=1e-6)
    np.testing.assert_allclose(after.origin, before.origin, atol=1e-6)
    np.testing.assert_allclose(after.direction, before.direction, atol=1e-6)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".mha", ".nrrd", ".nii"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_two_dimensions_and_colour_survive(tmp_path: Path, suffix: str, channels: int) -> None:
    """A 2-D image in grey, RGB and RGBA is read with its channels."""
    shape = (4, 6) if channels == 1 else (4, 6, channels)
    array = np.random.default_rng(0).integers(2, 256, shape).astype(np.uint8)
    path = tmp_path / "a"
    path.write_bytes(encode_file(image(array, channels=channels), suffix).data)
    after = _load(path)
    assert isinstance(after, Image)
    assert after.channels == channels
    np.testing.assert_array_equal(after.array, array)


def test_jpeg_is_read(tmp_path: Path) -> None:
    """A JPEG is read with voxels close to the original."""
    array = np.full((16, 16), 100, np.uint8)
    path = tmp_path / "a"
    path.write_bytes(encode_file(image(array), ".jpg").data)
    after = _load(path)
    assert isinstance(after, Image)
    np.testing.assert_allclose(after.array.astype(int), array, atol=3)


def test_the_name_does_not_decide(tmp_path: Path) -> None:
    """A compressed NIfTI called .png is a NIfTI."""
    path = tmp_path / "a.png"
    path.write_bytes(encode_file(_volume(), ".nii.gz").data)
    after = _load(path)
    assert isinstance(after, Image)
    assert after.array.shape == (3, 4, 5)


def test_json_is_a_value(tmp_path: Path) -> None:
    """A JSON document is read as its value, also compressed."""
    path = tmp_path / "a"
    path.write_text('{"a": [1, 2.5, "x", null, true]}')
    assert _load(path) == {"a": [1, 2.5, "x", None, True]}
    path.write_bytes(gzip.compress(b"[1]"))
    assert _load(path) == [1]
    path.write_text("[1, 2")
    with pytest.raises(InputUnavailable, match="not a JSON document"):
        _load(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd", ".png", ".jpg"])
@pytest.mark.parametrize("keep", [0.5, 0.97])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str, keep: float) -> None:
    """A truncated file is an error with its URL, never an image with zeros."""
    noise = np.random.default_rng(1).random((8, 16, 16)).astype(np.float32) * 255
    data = encode_file(image(noise), suffix).data
    path = tmp_path / "cut"
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(InputUnavailable, match=r"cut: .*truncated"):
        _load(path)


def test_corrupted_files_are_refused(tmp_path: Path) -> None:
    """A flipped byte inside a compressed file is found by its checksum."""
    data = bytearray(encode_file(_volume(), ".nii.gz").data)
    data[len(data) // 2] ^= 0xFF
    path = tmp_path / "bad"
    path.write_bytes(data)
    with pytest.raises(InputUnavailable, match=r"bad: .*corrupted"):
        _load(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello, world", "not an image or document"),
        (b"\x00" * 1000, "not an image or document"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xaeB`\x82", "the PNG file cannot be read"),
        (b"NDims = 3\nElementDataFile = /etc/passwd\n", "another file"),
        (b"NRRD0004\ntype: float\ndata file: /etc/passwd\n\n", "another file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """Empty files, other files, and headers that name other files are errors."""
    path = tmp_path / "odd"
    path.write_bytes(content)
    with pytest.raises(InputUnavailable, match=rf"odd: .*{words}"):
        _load(path)


def _nifti_of(dims: tuple[int, ...]) -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(dims), *dims, *[1] * (7 - len(dims)))
    struct.pack_into("<2h", head, 70, 2, 8)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", head, 108, 352)
    head[344:348] = b"n+1\0"
    return bytes(head) + b"\x07" * int(np.prod(dims))


def test_four_dimensions_are_refused(tmp_path: Path) -> None:
    """A time series is an error that says its size; one volume with a fourth axis is read."""
    path = tmp_path / "series"
    path.write_bytes(_nifti_of((4, 3, 2, 5)))
    with pytest.raises(InputUnavailable, match=r"series: a 4-D image \(4x3x2x5"):
        _load(path)
    path.write_bytes(_nifti_of((4, 3, 2, 1)))
    after = _load(path)
    assert isinstance(after, Image)
    assert after.array.shape == (2, 3, 4)


def test_a_dicom_folder_is_a_volume(tmp_path: Path) -> None:
    """Slices are sorted by position, whatever their names; the locale of the process is kept."""
    before = locale.setlocale(locale.LC_ALL)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for place, name in enumerate(("c", "a", "b")):
        plane = sitk.GetImageFromArray(np.full((1, 4, 5), place * 10, np.int16))
        plane.SetSpacing((0.5, 0.5, 2.0))
        plane.SetOrigin((0.0, 0.0, place * 2.0))
        for tag, value in (
            ("0008|0060", "MR"),
            ("0020|000d", "1.2.3.1"),
            ("0020|000e", "1.2.3.4"),
            ("0008|0018", f"1.2.3.4.{place + 1}"),
            ("0020|0032", f"0\\0\\{place * 2}"),
            ("0020|0037", "1\\0\\0\\0\\1\\0"),
            ("0020|0013", str(place)),
        ):
            plane.SetMetaData(tag, value)
        writer.SetFileName(str(tmp_path / f"{name}.dcm"))
        writer.Execute(plane)
    (tmp_path / "notes.txt").write_text("not a slice")
    locale.setlocale(locale.LC_ALL, before)  # writing changes it as well
    after = _load(tmp_path)
    assert locale.setlocale(locale.LC_ALL) == before
    assert isinstance(after, Image)
    assert after.array[:, 0, 0].tolist() == [0, 10, 20]
    np.testing.assert_allclose(after.spacing, (0.5, 0.5, 2.0))


def test_a_folder_without_dicom_is_refused(tmp_path: Path) -> None:
    """A folder without DICOM files is an error with its URL."""
    with pytest.raises(InputUnavailable, match="has no files"):
        _load(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputUnavailable, match="no DICOM files"):
        _load(tmp_path)


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_a_header_with_its_voxels_beside_it(tmp_path: Path, suffix: str) -> None:
    """Both files are the input: a change of either one changes the digest."""
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(to_itk(_volume()), str(path))
    (data,) = set(tmp_path.iterdir()) - {path}
    before = pin_input(str(path), HERE)
    value = load_input(before, HERE)
    assert isinstance(value, Image)
    np.testing.assert_array_equal(value.array, _volume().array)
    np.testing.assert_allclose(value.spacing, _volume().spacing)
    assert before.size == path.stat().st_size + data.stat().st_size
    assert stat(str(path), HERE).version == ""
    data.write_bytes(data.read_bytes()[:-9])
    assert pin_input(str(path), HERE).digest != before.digest
    with pytest.raises(InputUnavailable, match=f"scan{suffix}: its content has changed"):
        load_input(before, HERE)
    with pytest.raises(InputUnavailable, match=f"scan{suffix}: the .* truncated"):
        _load(path)
    data.unlink()
    with pytest.raises(InputUnavailable, match=f"{data.name}: it does not exist"):
        _load(path)


@pytest.mark.parametrize("name", ["../scan.raw", "/etc/passwd", "LIST", "scan%03d.raw 1 9 1"])
def test_a_header_that_names_another_place(tmp_path: Path, name: str) -> None:
    """Voxels are read from the same folder only."""
    path = tmp_path / "scan.mhd"
    path.write_text(f"ObjectType = Image\nNDims = 2\nDimSize = 1 1\nElementDataFile = {name}\n")
    with pytest.raises(InputUnavailable, match="has its voxels in another file"):
        _load(path)


def test_grey_with_alpha_is_read(tmp_path: Path) -> None:
    """A grey PNG with alpha has two channels; one with 16 bits is refused with a reason."""
    voxels = np.arange(24, dtype=np.uint8).reshape(3, 4, 2)
    path = tmp_path / "a.png"
    Pillow.fromarray(voxels, "LA").save(path)
    value = _load(path)
    assert isinstance(value, Image)
    assert value.channels == 2
    np.testing.assert_array_equal(value.array, voxels)
    content = bytearray(path.read_bytes())
    content[24] = 16
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(InputUnavailable, match="grey PNG with alpha in 16 bits"):
        _load(path)


def test_all_pages_of_a_tiff_count(tmp_path: Path) -> None:
    """A file without its last pages is truncated; pages of different sizes are not a volume."""
    path = tmp_path / "a.tif"
    pages = [Pillow.fromarray(np.full((6, 9), level, np.uint8)) for level in range(4)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    value = _load(path)
    assert isinstance(value, Image)
    assert value.array[:, 0, 0].tolist() == [0, 1, 2, 3]
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputUnavailable, match=r"a\.tif: the TIFF file is truncated"):
        _load(path)
    pages[0].save(path, save_all=True, append_images=[pages[1].resize((5, 5))])
    with pytest.raises(InputUnavailable, match=r"pages of different sizes \(5x5 and 9x6\)"):
        _load(path)


def test_nifti_2_is_named(tmp_path: Path) -> None:
    """The error names the unsupported format instead of a damaged file."""
    path = tmp_path / "a.nii"
    path.write_bytes(struct.pack("<i", 540) + b"n+2\0" + bytes(600))
    with pytest.raises(InputUnavailable, match="NIfTI-2 is not supported"):
        _load(path)
