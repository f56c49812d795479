"""Tests of what a program may use."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from voxk8s.cli.permissions import Permissions


def _permissions(folder: Path, ask: object = None, **options: object) -> Permissions:
    (folder / "in").mkdir(exist_ok=True)
    given = {"file": str(folder / "in" / "a.imgql"), "param": [], **options}
    return Permissions(argparse.Namespace(**given), {}, ask)  # type: ignore[arg-type]


def test_values_of_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths and URLs that the user has typed are allowed, but never everything."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    param = [("a", "/data/x.nii"), ("b", "http://h/"), ("c", "/"), ("d", "../"), ("e", "word")]
    found = _permissions(tmp_path, param=param).confinement
    assert found.allows_path("/data/x.nii")
    assert found.allows_url("http://h/y")
    assert not found.allows_path("/data/y.nii")
    assert not found.allows_path(str(tmp_path / "word"))


def test_hosts_that_begin_alike(tmp_path: Path) -> None:
    """A prefix ends at a slash."""
    found = _permissions(tmp_path, allow=["http://host"]).confinement
    assert found.allows_url("http://host/a")
    assert not found.allows_url("http://host.evil.org/a")
    assert not found.allows_url("http://host@evil.org/a")


def test_one_question_for_a_path(tmp_path: Path) -> None:
    """What was allowed once is not asked again; what was not, is refused with the flag."""
    asked: list[str] = []

    def yes(what: str) -> bool:
        asked.append(what)
        return "good" in what

    for name in ("good", "bad"):
        (tmp_path / name).write_text("")
    permissions = _permissions(tmp_path, yes)
    permissions.check_import(str(tmp_path / "good"))
    permissions.check_import(str(tmp_path / "good"))
    assert len(asked) == 1
    with pytest.raises(PermissionError, match="--allow"):
        permissions.check_import(str(tmp_path / "bad"))
