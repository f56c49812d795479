"""`voxk8s report` with files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.report.scenes import WHOLE
from voxk8s.cli.__main__ import call
from voxk8s.cli.commands import report as command
from voxk8s.report import report


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the report of a run, in which the command is called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.html").write_text(report(WHOLE), "utf-8")
    return tmp_path


def test_two_files_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a cluster."""
    assert call(["report", "a.html", "./a.html", "-o", "both.html"]) == 0
    assert capsys.readouterr().out == "both.html\n"
    assert "All 4 results are the same" in (folder / "both.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.html", "gone.html"], "gone.html: cannot be read as a report: No such file"),
        (["a.html", "other.html"], "other.html: expected the report of a run"),
        (["a.html", "large.html"], "large.html: expected a report of at most 0 MB"),
        (["a.html", "pipe.html"], "pipe.html: cannot be read as a report: expected a regular file"),
        (["a.html", "zero.html"], "zero.html: cannot be read as a report: expected a regular file"),
        (["a.html"] * 3, "expected one report, or two to compare, got 3"),
    ],
)
def test_what_cannot_be_compared(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    names: list[str],
    words: str,
) -> None:
    """One line says what was wrong; what never ends, or never begins, is not read."""
    monkeypatch.setattr(command, "RUN_FILE_BYTES", 900_000)
    (folder / "other.html").write_text("<p>")
    (folder / "large.html").write_bytes(bytes(900_001))
    (folder / "zero.html").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.html")
    assert call(["report", *names, "-o", "both.html"]) == 2
    assert words in capsys.readouterr().err
