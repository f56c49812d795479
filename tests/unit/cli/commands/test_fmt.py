"""`voxk8s fmt`."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Done

TEXT = 'let   a=1\nprint   "a"   a\n'
FORMATTED = 'let a = 1\nprint "a" a\n'


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a program that is not formatted."""
    path = tmp_path / "p.imgql"
    path.write_text(TEXT)
    return path


def give(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Set the bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_formatted_program_is_printed(call: Callable[..., Done], program: Path) -> None:
    """The file does not change."""
    done = call("fmt", "p.imgql")
    assert (done.status, done.out) == (0, FORMATTED)
    assert program.read_text() == TEXT


def test_check_compares_only(call: Callable[..., Done], program: Path) -> None:
    """--check has the exit status 1 if the file would be changed."""
    done = call("fmt", "--check", "p.imgql")
    assert (done.status, done.out, done.err) == (1, "", "voxk8s: p.imgql would be changed\n")
    assert program.read_text() == TEXT
    program.write_text(FORMATTED)
    assert call("fmt", "--check", "p.imgql").status == 0


def test_file_is_written_in_place(call: Callable[..., Done], program: Path) -> None:
    """--write prints nothing."""
    done = call("fmt", "--write", "p.imgql")
    assert (done.status, done.out) == (0, "")
    assert program.read_text() == FORMATTED


def test_standard_input_is_formatted(
    call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fmt -` reads a program from standard input and prints it formatted."""
    give(monkeypatch, 'print   "µ"  f( 2)'.encode())
    done = call("fmt", "-")
    assert (done.status, done.out) == (0, 'print "µ" f(2)\n')


def test_errors_of_standard_input_have_a_place(
    call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is called <stdin>."""
    give(monkeypatch, b'print "x" f(2')
    done = call("fmt", "-")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("<stdin>:1:")


def test_standard_input_has_to_be_utf_8(
    call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the place of the first invalid byte."""
    give(monkeypatch, b'print "\xe9" 1')
    done = call("fmt", "-")
    assert (done.status, done.out) == (2, "")
    assert "standard input: expected UTF-8, byte 7 is invalid" in done.err


def test_standard_input_cannot_be_written(call: Callable[..., Done]) -> None:
    """--write needs a file."""
    assert call("fmt", "--write", "-").status == 2


def test_only_programs_are_formatted(call: Callable[..., Done], tmp_path: Path) -> None:
    """A plan document is an invalid call."""
    (tmp_path / "plan.json").write_text("{}")
    done = call("fmt", "plan.json")
    assert (done.status, done.out) == (2, "")
    assert "plan.json: expected a program (.imgql)" in done.err
