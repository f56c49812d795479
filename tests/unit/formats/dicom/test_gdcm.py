"""Tests of what GDCM does not check, and of the locale that it changes."""

from __future__ import annotations

import io
import locale
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.unit.formats.dicom_files import write_slice
from voxk8s.errors import InputUnavailable
from voxk8s.formats.dicom.gdcm import preserve_locale
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image

HERE = InputOptions()


def _load(path: Path) -> Image:
    value = load_input(pin_input(str(path), HERE), HERE)
    assert isinstance(value, Image)
    return value


def test_threads_share_the_locale() -> None:
    """The last reader restores the locale from before the first one."""
    before = locale.setlocale(locale.LC_ALL)
    other = "C" if before != "C" else "C.UTF-8"
    try:
        with ExitStack() as first, ExitStack() as second:
            first.enter_context(preserve_locale)
            locale.setlocale(locale.LC_ALL, other)  # as GDCM does
            second.enter_context(preserve_locale)
            first.close()
            second.close()
            assert locale.setlocale(locale.LC_ALL) == before
    finally:
        locale.setlocale(locale.LC_ALL, before)


def test_broken_jpeg_inside_dicom_is_found(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Compressed slices are read; what libjpeg only warns about is an error, and not printed."""
    voxels = (np.add.outer(np.arange(40), np.arange(48)) * 3 % 256).astype(np.uint8)
    packed = io.BytesIO()
    Pillow.fromarray(voxels).save(packed, "JPEG", quality=95)
    jpeg = bytearray(packed.getvalue())
    for place in range(2):
        write_slice(tmp_path / f"{place}", voxels, (0.0, 0.0, 2.0 * place), jpeg=bytes(jpeg))
    np.testing.assert_allclose(_load(tmp_path).array[1].astype(int), voxels, atol=12)
    jpeg[500:510] = b"\xaa" * 10
    write_slice(tmp_path / "1", voxels, (0.0, 0.0, 2.0), jpeg=bytes(jpeg))
    for path in (tmp_path, tmp_path / "1"):
        with pytest.raises(InputUnavailable, match="DICOM file is corrupted: Corrupt JPEG data"):
            _load(path)
    assert "JPEG" not in capfd.readouterr().err
