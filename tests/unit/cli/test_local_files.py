"""The files of a folder on this machine that go to a store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from voxk8s.cli.local_files import files_below
from voxk8s.errors import InvalidUsage


def test_files_are_found_in_order_and_hidden_ones_left_out(tmp_path: Path) -> None:
    """In folders too; links to files are files."""
    for name in ("b/c.dcm", "b/.d", ".git/e", "a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "z").symlink_to("a")
    (tmp_path / ".elsewhere").symlink_to("b")
    assert [name for _, name in files_below(tmp_path)] == ["a", "z", "b/c.dcm"]


def test_nothing_is_left_out_without_a_word(tmp_path: Path) -> None:
    """A study without some of its slices would give other results."""
    strange = tmp_path / "d" / "x"
    strange.parent.mkdir()
    strange.symlink_to(tmp_path)
    with pytest.raises(InvalidUsage, match="a link to a folder is not followed"):
        list(files_below(tmp_path))
    strange.unlink()
    strange.symlink_to("gone")
    with pytest.raises(InvalidUsage, match="link to nothing"):
        list(files_below(tmp_path))
    strange.unlink()
    os.mkfifo(strange)
    with pytest.raises(InvalidUsage, match="not a file"):
        list(files_below(tmp_path))


def test_a_folder_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scripted, since tests may run as root, who may read all."""

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InvalidUsage, match="Permission denied"):
        list(files_below(tmp_path))
