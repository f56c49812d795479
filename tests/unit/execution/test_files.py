"""Files of save goals."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxk8s.errors import InvalidPlan
from voxk8s.execution.files import check_confined, target_path, write_file


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "..", ".", "a/.."])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    """A name that is absolute or climbs out is an invalid plan."""
    with pytest.raises(InvalidPlan, match="leaves the output folder"):
        check_confined(tmp_path, name)


@pytest.mark.parametrize("name", ["x.png", "a/b/x.png", "a/../x.png", "..x", "é/ü.json"])
def test_names_below_the_folder_are_fine(tmp_path: Path, name: str) -> None:
    """A name that stays below may have any form."""
    assert target_path(tmp_path, name, confine=True) == tmp_path / name


def test_without_a_folder_any_path_goes() -> None:
    """A path of a run without an output folder is taken as it is."""
    assert target_path(Path(), "../x", confine=False) == Path("../x")


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    """Folders are made, an older file is replaced, and nothing else is left."""
    path = tmp_path / "a" / "b.txt"
    write_file(path, b"one")
    write_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o444


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """If the file cannot be put in its place no temporary one stays."""
    (tmp_path / "x").mkdir()
    with pytest.raises(OSError, match="x"):
        write_file(tmp_path / "x", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_names_that_no_file_can_have_are_errors_of_the_system(tmp_path: Path) -> None:
    """A NUL character in a name fails as any other name that cannot be written."""
    with pytest.raises(OSError, match="NUL"):
        write_file(tmp_path / "a\0b", b"")
