"""What the log looks like on standard error."""

from __future__ import annotations

import logging
from pathlib import Path

from voxk8s.cli.log_format import Formatter


def record(message: str, place: str = "") -> logging.LogRecord:
    """Make an error's record as the engine does."""
    made = logging.LogRecord("voxk8s.execution", logging.ERROR, "", 0, message, None, None)
    made.place = place
    return made


def test_a_failure_of_a_program_begins_with_its_place(tmp_path: Path) -> None:
    """Editors find file, line and column at the start; the line follows with a mark below."""
    program = tmp_path / "p.imgql"
    program.write_text('let a = 1\nprint "x"\ta / 0\n')
    place = f"{program}:2:13"
    text = Formatter().format(record(f"{place}: division by zero", place))
    assert text.splitlines() == [
        f"{place}: error: division by zero",
        '  print "x" a / 0',
        "              ^",
    ]


def test_the_line_is_shown_once(tmp_path: Path) -> None:
    """Of a loop's many failures only the first one shows the line."""
    program = tmp_path / "p.imgql"
    program.write_text("1 / 0\n")
    formatter, place = Formatter(), f"{program}:1:3"
    assert "\n" in formatter.format(record(f"{place}: a", place))
    assert formatter.format(record(f"{place}: b", place)) == f"{place}: error: b"


def test_a_place_that_cannot_be_read_is_told_alone() -> None:
    """A program that is no file here, or another one by now, has no excerpt."""
    for place in ("program:1:3", f"{__file__}:100000:1", "/nowhere/p.imgql:1:1", "x:y:z"):
        assert Formatter().format(record(f"{place}: no", place)) == f"{place}: error: no"


def test_other_records_have_their_level_and_name() -> None:
    """What comes from no program looks as logs do."""
    assert Formatter(">").format(record("no")) == ">ERROR voxk8s.execution: no"
