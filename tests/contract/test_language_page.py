"""What docs/language.md says of the language is so."""

from __future__ import annotations

import re

import pytest

from tests.support.imgql import compile_error, compile_text, goal_text
from tests.support.paths import ROOT
from voxk8s.imgql.lower.global_scope import SHIPPED

PAGE = (ROOT / "docs" / "language.md").read_text("utf-8")


def test_the_program_of_the_page_compiles() -> None:
    """It shows every command."""
    (text,) = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    compiled = compile_text(text)
    assert [goal.name for goal in compiled.plan.goals] == ["volume", "rim.nii.gz"]
    assert [each.name for each in compiled.expectations] == ["volume"]


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("10 - 4 - 3", "subtraction(10.0, subtraction(4.0, 3.0))"),
        ("subsequence([1], 2, 3)", "subsequence(sequence(1.0), 2.0, 3.0)"),
        ("fold - 9 [4]", "subtraction(9.0, 4.0)"),
        ("(1 < 2) & true", "vox1.and(less(1.0, 2.0), True)"),
        ('GetPixelIDValueFromString("sitkUInt8")', "'sitkUInt8'"),
        ("recover(1, 2)", "sequences.recover(1.0, 2.0)"),
    ],
)
def test_rows_of_the_table_that_compile(text: str, plan: str) -> None:
    """Each means what the last column says."""
    assert goal_text(f'print "x" {text}') == plan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("let in = 1", "`in` is a reserved word"),
        ('import "nnunet"', "load the masks that the network predicts"),
        ('let a = ap("b")', "graphs and polyhedra"),
        ('let a = frame("b", 1)', "videos are not supported"),
    ],
)
def test_rows_of_the_table_that_are_refused(text: str, message: str) -> None:
    """With the reason and the way around."""
    assert message in " ".join(compile_error(text).split())


def test_an_image_is_written_by_a_function_of_simpleitk() -> None:
    """Its value is the name of the file."""
    compiled = compile_text('load a = "a.nii"\nresult = WriteImage(a, "b.nii")\nprint "r" result')
    assert [(goal.operation, goal.name) for goal in compiled.plan.goals] == [
        ("print", "r"),
        ("save", "b.nii"),
    ]
    assert goal_text('r = WriteImage(load("a.nii"), "b.nii")') == "load('a.nii')"


def test_a_call_that_means_something_else_upstream_is_warned_of() -> None:
    """Not where both mean the same, from the first item on, nor of slices."""
    text = 'let xs = [1, 2, 3]\nprint "a" subsequence(xs, 1, 2)\nprint "b" subsequence(xs, 0, 2)\n'
    (warning,) = compile_text(text + 'print "c" xs[1:2]\nprint "d" subsequence(xs, 1)\n').warnings
    assert (warning.line, "position of the end" in warning.message) == (2, True)


def test_the_page_names_every_namespace_that_needs_no_import() -> None:
    """In the rule about names."""
    names = ", ".join(f"`{each}`" for each in SHIPPED[:-1])
    assert f"{names} or `{SHIPPED[-1]}` have" in " ".join(PAGE.split())
