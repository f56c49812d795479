"""Tests of headers: they say what decoding whole files gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image as Pillow

from tests.unit.formats.dicom_files import write_slice
from tests.unit.formats.tiff_files import write_tiff
from voxk8s.cli import local_headers
from voxk8s.cli.local_headers import LocalHeaders
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image

OPTIONS = InputOptions()


AXIAL = "1\\0\\0\\0\\1\\0"
SAGITTAL = "0\\1\\0\\0\\0\\-1"
GREY = np.arange(20, dtype=np.uint8).reshape(4, 5)


def series(folder: Path, heights: tuple[float, ...], axes: str = AXIAL) -> None:
    """Write slices, with names against their order."""
    folder.mkdir()
    for place, height in enumerate(heights):
        position = (1.0, 3.0, height) if axes == AXIAL else (height, 3.0, 1.0)
        path = folder / f"{9 - place}.dcm"
        write_slice(path, GREY.astype(np.int16), position, number=place + 1, axes=axes)


def write_images(folder: Path) -> None:
    """Write an image of each kind."""
    for name, shape in (("flat.nii", (4, 5)), ("deep.mha", (3, 4, 5))):
        sitk.WriteImage(sitk.GetImageFromArray(np.ones(shape, np.float32)), str(folder / name))
    write_slice(folder / "one.dcm", GREY.astype(np.int16), (1.0, 2.0, 3.0))
    write_tiff(folder / "strips.tif", GREY)
    write_tiff(folder / "tiles.tif", GREY, tile=16)
    turned = Pillow.Exif()
    turned[0x112] = 6
    Pillow.fromarray(np.stack([GREY] * 3, -1)).save(
        folder / "turned.tif", exif=turned, dpi=(254, 127)
    )
    pages = [Pillow.fromarray(np.greater(GREY, level)) for level in (5, 10, 15)]
    pages[0].save(folder / "pages.tif", save_all=True, append_images=pages[1:])
    series(folder / "series", (0.0, 2.0, 4.0, 6.0))
    series(folder / "side", (0.0, 2.5, 5.0), SAGITTAL)
    series(folder / "single", (7.0,))


def test_headers_say_what_decoding_gives(tmp_path: Path) -> None:
    """Of files and folders of every format that has a geometry."""
    headers = LocalHeaders(OPTIONS, lambda url: url)
    write_images(tmp_path)
    for path in tmp_path.iterdir():
        name = path.name
        image = load_input(pin_input(str(path), OPTIONS), OPTIONS)
        assert isinstance(image, Image)
        found = headers.extent(str(path))
        assert found is not None, name
        rank = len(image.spacing)
        assert found.size == image.array.shape[:rank][::-1], name
        for member in ("spacing", "origin", "direction"):
            np.testing.assert_allclose(
                getattr(found, member), getattr(image, member), rtol=1e-9, err_msg=name
            )


def test_what_cannot_be_looked_at_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images that are none or must not be read, and those beyond the first ones."""
    (tmp_path / "notes.nii").write_text("no image")
    (tmp_path / "empty").mkdir()
    write_tiff(tmp_path / "a.tif", GREY)
    headers = LocalHeaders(OPTIONS, lambda url: None if "secret" in url else url)
    for name in ("notes.nii", "empty", "none.nii", "secret.nii"):
        assert headers.extent(str(tmp_path / name)) is None
    assert headers.names([str(tmp_path), "*.tif"]) == ("a.tif",)
    assert headers.names([str(tmp_path / "none")]) is None
    assert headers.names(["secret"]) is None
    assert headers.names([1]) is None
    assert headers.names([str(tmp_path), 1]) is None
    monkeypatch.setattr(local_headers, "_MOST_IMAGES", 4)
    assert headers.extent(str(tmp_path / "a.tif")) is None
