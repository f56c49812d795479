"""What docs/language.md says of the language is so."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.support.imgql import compile_error, compile_text, goal_text
from tests.support.paths import ROOT
from voxk8s.constants import ENV_TEST_KERNELS
from voxk8s.errors import KernelError
from voxk8s.imgql.lower.global_scope import SHIPPED
from voxk8s.kernels import registry
from voxk8s.values import Image

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
        ('eq(50, load("a.nii"))', "vox1.eq_sv(50.0, load('a.nii'))"),
        ('geq(50, load("a.nii"))', "vox1.geq_sv(50.0, load('a.nii'))"),
        ('leq(50, load("a.nii"))', "vox1.leq_sv(50.0, load('a.nii'))"),
        ('multiply(load("a.nii"), 3)', "multiplication(load('a.nii'), 3.0)"),
    ],
)
def test_rows_of_the_table_that_compile(text: str, plan: str) -> None:
    """Each means what the last column says."""
    assert goal_text(f'print "x" {text}') == plan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('import "test"', "VOXK8S_TEST_KERNELS=1"),
        ('import "nnunet"', "load the masks that the network predicts"),
        ('let a = ap("b")', "graphs and polyhedra"),
        ('let a = frame("b", 1)', "videos are not supported"),
    ],
)
def test_rows_of_the_table_that_are_refused(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason and the way around."""
    monkeypatch.delenv(ENV_TEST_KERNELS, raising=False)
    assert message in " ".join(compile_error(text).split())


def test_an_image_is_written_by_a_function_of_simpleitk() -> None:
    """Its value is the name of the file."""
    compiled = compile_text('load a = "a.nii"\nresult = WriteImage(a, "b.nii")\nprint "r" result')
    assert [(goal.operation, goal.name) for goal in compiled.plan.goals] == [
        ("print", "r"),
        ("save", "b.nii"),
    ]
    assert goal_text('r = WriteImage(load("a.nii"), "b.nii")') == "load('a.nii')"


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ('let in = 3\nprint "x" in * 2', "multiplication(3.0, 2.0)"),
        ('let if = 3\nprint "x" if * 2', "multiplication(3.0, 2.0)"),
        (
            'let print(label, e) = print_primitive(label, e)\nr = print("x", 3 * 2)',
            "multiplication(3.0, 2.0)",
        ),
    ],
)
def test_words_are_names_where_a_program_defines_them(text: str, plan: str) -> None:
    """As rows of the table say."""
    assert goal_text(text) == plan


def test_a_slice_beyond_the_end_is_an_error() -> None:
    """It is never shorter than asked for."""
    subsequence = registry().function("default.subsequence")
    assert goal_text('print "x" range(5)[0:9]') == "subsequence(range(5.0), 0.0, 9.0)"
    assert subsequence([0, 1, 2, 3, 4], 0, 5) == [0, 1, 2, 3, 4]
    with pytest.raises(KernelError, match="subsequence"):
        subsequence([0, 1, 2, 3, 4], 0, 9)


def test_an_overlay_is_a_colour_image() -> None:
    """Not layers for a viewer."""
    grid = ((1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))
    image = Image(np.ones((2, 3), np.float32), *grid)
    found = registry().function("vox1.overlay")(image, Image(np.ones((2, 3), np.uint8), *grid))
    assert isinstance(found, Image)
    assert found.array.shape == (2, 3, 3)


@pytest.mark.parametrize("text", ["if c then a else b", "ifB(c, a, b)", "ifN(c, a, b)"])
def test_all_choices_are_there(text: str) -> None:
    """`if`, and the functions of version 1 for masks and images."""
    head = 'load a = "a.nii"\nload b = "b.nii"\nlet c = volume(a) > 1\n'
    assert compile_text(f'{head}print "x" volume({text})').plan.goals


def test_a_chain_that_depends_on_its_grouping_is_warned_of() -> None:
    """As the first row says."""
    (warning,) = compile_text('print "x" 10 - 4 - 3').warnings
    assert "a - b - c is a - (b - c)" in warning.message


def test_kernels_for_tests_are_there_with_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of version 1 without an import, and those of version 2."""
    monkeypatch.setenv(ENV_TEST_KERNELS, "1")
    assert goal_text('print "x" fib(4, 0)') == "test.fib(4.0, 0.0)"
    text = 'import "test"\nprint "x" test.enqueue("segment", timewaste(1, 2))'
    assert goal_text(text) == "enqueue('segment', timewaste(1.0, 2.0))"


def test_a_call_that_means_something_else_upstream_is_warned_of() -> None:
    """Not where both mean the same, from the first item on, nor of slices."""
    text = 'let xs = [1, 2, 3]\nprint "a" subsequence(xs, 1, 2)\nprint "b" subsequence(xs, 0, 2)\n'
    (warning,) = compile_text(text + 'print "c" xs[1:2]\nprint "d" subsequence(xs, 1)\n').warnings
    assert (warning.line, "position of the end" in warning.message) == (2, True)


def test_the_page_names_every_namespace_that_needs_no_import() -> None:
    """In the rule about names."""
    names = ", ".join(f"`{each}`" for each in SHIPPED[:-1])
    assert f"{names} or `{SHIPPED[-1]}` have" in " ".join(PAGE.split())
