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
        head + 'print "z" recover(max(a + b), if max(a) > 0 then 1 else max(b + a))\n'
    )
    spared = call("check", "p.imgql")
    assert spared.status == 0
    assert "combines images of different geometry: a.nii and b.nii.gz" in spared.err
    assert "; `recover` gives another value" in spared.err
    assert "; it is needed only if `if` chooses it" in spared.err


def test_items_that_are_skipped_are_no_error(call: Callable[..., Done], tmp_path: Path) -> None:
    """By the option of `run` and by the field of a WorkPlan; else one item is an error."""
    sitk.WriteImage(sitk.Image(4, 5, 6, sitk.sitkUInt8), str(tmp_path / "a.nii"))
    (tmp_path / "bad.nii").write_text("no image")
    text = 'print "x" for p in ["a.nii", "gone.nii", "bad.nii"] do volume(load(p))'
    (tmp_path / "p.imgql").write_text(text)
    found = call("check", "p.imgql")
    assert (found.status, "warning: input" in found.err) == (2, False)
    assert "voxk8s: input gone.nii: no such file\n" in found.err
    skipped = call("check", "p.imgql", "--on-item-failure", "skip")
    assert skipped.status == 0
    for name in ("gone.nii", "bad.nii"):
        assert f"voxk8s: warning: input {name}: no" in skipped.err
    source = f"{{program: '{text}'}}"
    (tmp_path / "w.yaml").write_text(
        "apiVersion: voxk8s.io/v1alpha1\nkind: WorkPlan\nmetadata: {name: w}\n"
        f"spec: {{onItemFailure: Skip, source: {source}}}\n"
    )
    assert call("check", "w.yaml").status == 0
    assert call("check", "w.yaml", "--on-item-failure", "fail").status == 2
