"""Tests of DICOM folders: which files are a volume, in which order, and which are refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.unit.formats.dicom_files import write_slice
from voxk8s.errors import InputUnavailable
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.loading import load_input
from voxk8s.inputs.pinning import pin_input
from voxk8s.values import Image

HERE = InputOptions()
STRUCTURED_REPORT = "1.2.840.10008.5.1.4.1.1.88.11"
DIRECTORY = "1.2.840.10008.1.3.10"
SAGITTAL = "0\\1\\0\\0\\0\\-1"


def _load(path: Path) -> Image:
    value = load_input(pin_input(str(path), HERE), HERE)
    assert isinstance(value, Image)
    return value


def _plane(level: int) -> np.ndarray:
    return np.full((4, 5), level, np.int16)


def _series(
    folder: Path,
    heights: tuple[float, ...] = (0.0, 2.0, 4.0, 6.0),
    tilt: float = 0.0,
    slopes: tuple[str, ...] = (),
) -> Path:
    folder.mkdir(exist_ok=True)
    for place, height in enumerate(heights):
        slope = slopes[place] if slopes else None
        position = (0.0, tilt * height, height)
        # Names against the order of the slices.
        path = folder / f"{9 - place}.dcm"
        write_slice(path, _plane(place * 10), position, number=place + 1, slope=slope)
    return folder


def test_what_lies_beside_images_is_left_out(tmp_path: Path) -> None:
    """Other files, and DICOM files without an image, are left out."""
    _series(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    for name, kind in (("report", STRUCTURED_REPORT), ("DICOMDIR", DIRECTORY)):
        write_slice(tmp_path / name, _plane(0)[:0], None, series="9", kind=kind)
    value = _load(tmp_path)
    assert value.array[:, 0, 0].tolist() == [0, 10, 20, 30]
    assert value.spacing == (0.5, 0.5, 2.0)


def test_series_are_named_if_there_are_several(tmp_path: Path) -> None:
    """A folder of two series is an error that says which they are."""
    _series(tmp_path)
    write_slice(tmp_path / "other", _plane(1), (0.0, 0.0, 0.0), series="1.2.9")
    words = r"2 DICOM series \(1\.2\.3\.4 of 4 files, 1\.2\.9 of 1 files\)"
    with pytest.raises(InputUnavailable, match=words):
        _load(tmp_path)


@pytest.mark.parametrize(
    ("heights", "tilt", "words"),
    [
        ((0, 2, 6, 8), 0.0, r"unequal distances \(2 to 4 mm\); one may be missing after 8\.dcm"),
        ((0, 2, 4, 7), 0.0, r"unequal distances \(2 to 3 mm\)"),
        ((0, 2, 2, 4), 0.0, r"several slices at one position \(7\.dcm and 8\.dcm\)"),
        ((0, 0, 0, 0), 0.0, "several slices at one position"),
        ((0, 2, 4, 6), 0.35, r"a gantry tilted by 19\.3 degrees"),
    ],
)
def test_slices_that_make_no_grid(
    tmp_path: Path, heights: tuple[float, ...], tilt: float, words: str
) -> None:
    """Slices that are not on a regular, orthogonal grid are an error."""
    with pytest.raises(InputUnavailable, match=words):
        _load(_series(tmp_path, heights, tilt))


def test_positions_may_be_rounded(tmp_path: Path) -> None:
    """Slices with rounded positions are on a regular grid."""
    assert _load(_series(tmp_path, (0.0, 2.01, 3.99, 6.0))).spacing == (0.5, 0.5, 2.0)


def test_slices_must_be_parallel_and_of_one_size(tmp_path: Path) -> None:
    """A localizer with two orientations, and slices of two sizes, are refused with a reason."""
    _series(tmp_path / "axes")
    write_slice(tmp_path / "axes" / "x", _plane(1), (8.0, 0.0, 0.0), axes=SAGITTAL)
    with pytest.raises(InputUnavailable, match="slices that are not parallel"):
        _load(tmp_path / "axes")
    _series(tmp_path / "sizes")
    write_slice(tmp_path / "sizes" / "x", np.zeros((6, 6), np.int16), (0.0, 0.0, 8.0))
    with pytest.raises(InputUnavailable, match=r"different sizes \(5x4 and 6x6\)"):
        _load(tmp_path / "sizes")


def test_slices_without_positions_go_by_their_numbers(tmp_path: Path) -> None:
    """Slices without positions are sorted by instance number; other series are refused."""
    for place, name in enumerate("cab"):
        write_slice(tmp_path / name, _plane(place), None, number=place + 1)
    assert _load(tmp_path).array[:, 0, 0].tolist() == [0, 1, 2]
    write_slice(tmp_path / "d", _plane(0), None, number=1)
    with pytest.raises(InputUnavailable, match="neither positions nor distinct instance numbers"):
        _load(tmp_path)
    write_slice(tmp_path / "d", _plane(0), (0.0, 0.0, 4.0), number=4)
    with pytest.raises(InputUnavailable, match="slices without a position"):
        _load(tmp_path)


def test_each_slice_has_its_own_scale(tmp_path: Path) -> None:
    """Slopes that differ, as in PET, are applied to each slice, and fractions are kept."""
    value = _load(_series(tmp_path, slopes=("1", "1.25", "0.5", "1")))
    assert value.array[:, 0, 0].tolist() == [0.0, 12.5, 10.0, 30.0]


def test_a_broken_slice_is_named(tmp_path: Path) -> None:
    """The error for a series with a truncated file names the file."""
    path = _series(tmp_path) / "7.dcm"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputUnavailable, match=r"the DICOM file 7\.dcm is truncated"):
        _load(tmp_path)
    with pytest.raises(InputUnavailable, match="the DICOM file is truncated"):
        _load(path)


def test_names_may_be_anything(tmp_path: Path) -> None:
    """Names may be non-ASCII, and invalid as UTF-8, for which ITK would abort the process."""
    _series(tmp_path)
    for old, new in ((b"9.dcm", "☃ ü.dcm".encode()), (b"8.dcm", b"\xff\xfe.dcm")):
        os.rename(os.fsencode(tmp_path) + b"/" + old, os.fsencode(tmp_path) + b"/" + new)
    assert _load(tmp_path).array[:, 0, 0].tolist() == [0, 10, 20, 30]


def test_files_of_several_frames(tmp_path: Path) -> None:
    """One is a volume; several are no series."""
    frames = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    write_slice(tmp_path / "a", frames, (0.0, 0.0, 0.0), frames=3)
    np.testing.assert_array_equal(_load(tmp_path).array, frames)
    write_slice(tmp_path / "b", frames, (0.0, 0.0, 9.0), frames=3, number=2)
    with pytest.raises(InputUnavailable, match="several files with several frames each"):
        _load(tmp_path)
