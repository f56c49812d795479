"""Tests of values for `$NAME` that no program asks for."""

from __future__ import annotations

import pytest

from voxk8s.cli.parameters import ParameterWarnings, Program


def _warnings(
    capsys: pytest.CaptureFixture[str], text: str, given: tuple[str, ...], imported: str = ""
) -> list[str]:
    program = Program(text, "p.imgql", dict.fromkeys(given, "1"), lambda _: imported)
    with ParameterWarnings(program, quiet=False) as asked:
        if imported:
            asked.read_file("lib.imgql")
    return capsys.readouterr().err.splitlines()


def test_a_value_that_nobody_asks_for_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It may be a slip of the pen, so the nearest name is suggested."""
    (line,) = _warnings(capsys, 'load a = "$INPUTDIR/a.nii"', ("INPUTDIR", "INPUTDR"))
    assert "no $INPUTDR in the program" in line


def test_a_name_that_goes_on_asks_for_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    """`$CASE_flair.nii.gz` asks for CASE, of the names that are given the longest that fits."""
    assert not _warnings(capsys, 'load a = "$DIR/$CASE_flair.nii.gz"', ("DIR", "CASE"))
    (line,) = _warnings(capsys, 'load a = "$CASE_flair.nii.gz"', ("CASE", "CA"))
    assert "no $CA in the program" in line


def test_imported_texts_ask_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A value may be there for an import only."""
    assert not _warnings(capsys, 'import "lib.imgql"', ("LEVEL",), "let a = $LEVEL")
