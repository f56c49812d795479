"""Where a file can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxk8s.cli.output_file import obstacle


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "a folder"),
        ("folder", "a folder"),
        ("file/x.html", "expected a folder"),
        ("a\0b", "NUL"),
        ("folder/new/x.html", None),
    ],
)
def test_places_where_no_file_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str | None
) -> None:
    """They are known with the reason; folders that do not exist can be made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    found = obstacle(Path(name))
    assert found is reason if reason is None else reason in str(found)
