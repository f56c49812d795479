"""Folders of results that are compared."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.report.scenes import WHOLE
from voxk8s.cli.__main__ import call
from voxk8s.cli.result_folder import read_folder, voxel_difference
from voxk8s.errors import InvalidUsage
from voxk8s.formats.encode_file import encode_file
from voxk8s.report import report
from voxk8s.values import Image

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def save(path: Path, array: NDArray[np.uint8], spacing: float = 1.0) -> None:
    """Write an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image(array, (spacing,) * 3, (0.0,) * 3, IDENTITY)
    path.write_bytes(encode_file(image, "." + path.name.partition(".")[2]).data)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders: a mask that lost one of two voxels, a table that is the same, and one more."""
    monkeypatch.chdir(tmp_path)
    mask = np.zeros((4, 5, 6), np.uint8)
    mask[1, 2, 3] = mask[1, 2, 4] = 1
    save(tmp_path / "a/masks/core.nii.gz", mask)
    mask[1, 2, 4] = 0
    save(tmp_path / "b/masks/core.nii.gz", mask)
    for name in "ab":
        (tmp_path / name / "t.csv").write_text("1,2\n")
    (tmp_path / "b" / "only.json").write_text("[1]")
    (tmp_path / "b" / ".hidden").write_text("")
    (tmp_path / "b" / "report.html").write_text(report(WHOLE), "utf-8")
    return tmp_path


def test_two_folders_are_compared(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By names, digests, pictures and voxels; nothing is said of runs that are not known."""
    assert call(["report", "a", "./b", "-o", "both.html"]) == 0
    assert capsys.readouterr().out == "both.html\n"
    text = (folders / "both.html").read_text("utf-8")
    assert "2 of 3 results differ. Files are compared only" in text
    assert "1 of 120 voxels differ; Dice 0.6667" in text
    assert len(re.findall(r'<img src="data:image/webp;base64,', text)) == 2
    assert "only in B" in text
    assert "What changed" not in text


def test_a_report_is_compared_with_a_folder(folders: Path) -> None:
    """Only its files: values that were printed are not in a folder."""
    assert call(["report", "b/report.html", "b", "-o", "both.html"]) == 0
    text = (folders / "both.html").read_text("utf-8")
    assert "out/region.nii.gz" in text
    assert "762306" not in text


def test_what_is_no_folder_of_results(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what is wrong: nothing in it, or one folder alone."""
    (folders / "empty").mkdir()
    assert call(["report", "a", "empty", "-o", "both.html"]) == 2
    assert "empty: expected a folder with files of results, found none" in capsys.readouterr().err
    assert call(["report", "./a"]) == 2
    assert "./a: expected a report, found a folder; two can be compared" in capsys.readouterr().err


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a page is made that nobody can read."""
    monkeypatch.setattr("voxk8s.cli.result_folder.MOST_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(InvalidUsage, match="expected at most 2 files of results"):
        read_folder(tmp_path)


def test_images_are_compared_by_voxels(folders: Path) -> None:
    """On one grid only; the same voxels in another file are said to be the same."""
    one, values = folders / "a/x.mha", np.arange(120, dtype=np.uint8).reshape(4, 5, 6)
    save(one, values)
    save(folders / "b/x.mha", values + 1)
    assert voxel_difference(one, folders / "b/x.mha") == "120 of 120 voxels differ, by 1 at most"
    save(folders / "b/y.mha", values, 2.0)
    assert voxel_difference(one, folders / "b/y.mha") == "another grid of voxels"
    save(folders / "b/z.nii.gz", values)
    assert voxel_difference(one, folders / "b/z.nii.gz") == "the same voxels in another file"
    assert voxel_difference(folders / "a/t.csv", folders / "b/t.csv") == ""
