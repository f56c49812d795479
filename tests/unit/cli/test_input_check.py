"""Tests of the look at inputs that `voxk8s check` takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import SimpleITK as sitk

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


def test_check_looks_at_geometry(call: Callable[..., Done], tmp_path: Path) -> None:
    """Images that cannot be combined are named with the line; where another value is given, not."""
    for name, spacing in (("a.nii", 1.0), ("b.nii.gz", 2.0), ("c.nrrd", 1.0), ("d.mha", 1.0)):
        image = sitk.Image(4, 5, 6, sitk.sitkFloat32)
        image.SetSpacing((1.0, 1.0, spacing))
        sitk.WriteImage(image, str(tmp_path / name))
    program = tmp_path / "p.imgql"
    head = 'load a = "a.nii"\nload b = "b.nii.gz"\nload c = "c.nrrd"\nload d = "d.mha"\n'
    program.write_text(
        head + 'print "x" max((a +. 1) + (c + d))\nprint "y" volume(near(b > 1) & (a > 1))\n'
    )
    found = call("check", "p.imgql")
    assert found.status == 2
    assert (
        "voxk8s: p.imgql:6:30: vox1.and combines images of different geometry: b.nii.gz and a.nii"
        " have spacing (1, 1, 2) and (1, 1, 1); resample one to the other\n" in found.err
    )
    assert "combines" not in call("check", "p.imgql", "--no-inputs").err
    program.write_text(
        head + 'print "z" recover(max(a + b), if max(a) > 0 then 1 else max(a + b))\n'
    )
    spared = call("check", "p.imgql")
    assert (spared.status, "combines" in spared.err) == (0, False)
