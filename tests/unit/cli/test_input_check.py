"""Tests of the look at inputs that `voxk8s check` takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.cli import Done


def test_check_looks_at_the_inputs(call: Callable[..., Done], tmp_path: Path) -> None:
    """Absent files, wrong formats and files in place of folders, unless asked not to."""
    (tmp_path / "t.csv").write_text("a\n1\n")
    (tmp_path / "bad.nii").write_text("no image")
    program = tmp_path / "p.imgql"
    program.write_text(
        'print "x" [load("t.csv"), load("gone.nii"), load("bad.nii"), dir("t.csv"), dir("none")]'
    )
    found = call("check", "p.imgql")
    assert found.status == 2
    assert "input gone.nii: no such file" in found.err
    assert "input bad.nii: not an image or document" in found.err
    assert "input t.csv: not a folder" in found.err
    assert "input none: no such folder" in found.err
    assert "input t.csv: no" not in found.err.replace("input t.csv: not a folder", "")
    assert call("check", "p.imgql", "--no-inputs").status == 0
