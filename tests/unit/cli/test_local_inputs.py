"""Inputs that are on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxk8s.cli.argument_parser import build_parser
from voxk8s.cli.local_inputs import check_local, content_name, local_inputs, relocate
from voxk8s.errors import InvalidUsage
from voxk8s.program import compile_program

TEXT = """import "vox1"
load a = "a.nii.gz"
load b = "s3://b/b.nii.gz"
let both(f) = for x in [a, b] do volume(x >. f)
print "a.nii.gz" both(2)
save "a.nii.gz" a
"""


def test_inputs_move_and_nothing_else_does() -> None:
    """Also inside of loops: the plan is the one that is written with the other URL."""
    plan = compile_program(TEXT)
    assert local_inputs(plan) == ["a.nii.gz"]
    moved = relocate(plan, {"a.nii.gz": "s3://b/up/a.nii.gz"})
    assert moved == compile_program(
        TEXT.replace('load a = "a.nii.gz"', 'load a = "s3://b/up/a.nii.gz"')
    )
    assert local_inputs(moved) == []


def test_a_name_for_content_changes_with_it(tmp_path: Path) -> None:
    """Of a file and of a folder, whose files may also change their names."""
    (tmp_path / "d").mkdir()
    path = tmp_path / "d" / "a"
    names = []
    for text, name in (("1", "a"), ("2", "a"), ("2", "b")):
        path.unlink(missing_ok=True)
        path = tmp_path / "d" / name
        path.write_text(text)
        names.append((content_name(path), content_name(tmp_path / "d")))
    files, folders = zip(*names, strict=True)
    assert (len(set(files)), len(set(folders))) == (2, 3)


def test_a_program_does_not_send_what_it_may_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file elsewhere needs --allow, as for `voxk8s run`; one that is not there is named."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (tmp_path / "secret.nii").write_bytes(b"x")
    text = f'load a = "{tmp_path}/secret.nii"\nprint "a" a'
    (here / "p.imgql").write_text(text)
    plan = compile_program(text)
    for words, message in (((), "is not uploaded; if you trust"), (("--allow-all",), "")):
        arguments = build_parser().parse_args(["submit", "p.imgql", *words])
        if message:
            with pytest.raises(InvalidUsage, match=message):
                check_local(local_inputs(plan), plan, arguments)
        else:
            check_local(local_inputs(plan), plan, arguments)
    with pytest.raises(InvalidUsage, match=r"gone\.nii: no such file or folder on this machine"):
        check_local(["gone.nii"], plan, arguments)


def test_links_in_a_folder_lead_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's study could bring the user's keys to the store, where the program reads them."""
    (tmp_path / "secret").write_bytes(b"x")
    study = tmp_path / "here" / "study"
    study.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    (study / "slice.dcm").symlink_to(tmp_path / "secret")
    plan = compile_program('load a = "study"\nprint "a" a')
    arguments = build_parser().parse_args(["submit", "p.imgql"])
    with pytest.raises(InvalidUsage, match=r"study/slice\.dcm.* is outside of the folder"):
        check_local(local_inputs(plan), plan, arguments)
