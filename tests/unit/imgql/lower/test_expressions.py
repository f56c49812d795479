"""Tests of expressions: grouping of chains, prefix and infix operators."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.imgql import compile_error, goal_text, value_text


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("10-4-3", "subtraction(10.0, subtraction(4.0, 3.0))"),
        ("(10-4)-3", "subtraction(subtraction(10.0, 4.0), 3.0)"),
        ("-3", "-3.0"),
        ("2 - -3", "subtraction(2.0, -3.0)"),
        ("2--3", "subtraction(2.0, -3.0)"),
        ("2*-3", "multiplication(2.0, -3.0)"),
        ("-.5", "-0.5"),
        ("-(2 + 1)", "subtraction(0.0, addition(2.0, 1.0))"),
        ("+(1, 2)", "addition(1.0, 2.0)"),
        ('[1, true, "a"]', "sequence(1.0, True, 'a')"),
        ("[]", "sequence"),
        ("[1, 2][0]", "index(sequence(1.0, 2.0), 0.0)"),
        ("[1, 2] [0]", "index(sequence(1.0, 2.0), 0.0)"),
        ("range(9)[2:5]", "subsequence(range(9.0), 2.0, 3.0)"),
        ("range(9)[:5]", "subsequence(range(9.0), 0.0, 5.0)"),
        (
            "range(9)[1:mean[1]]",
            "subsequence(range(9.0), 1.0, subtraction(mean(sequence(1.0)), 1.0))",
        ),
        ("[range(3)][0][1:2]", "subsequence(index(sequence(range(3.0)), 0.0), 1.0, 1.0)"),
        ("mean [1, 2]", "mean(sequence(1.0, 2.0))"),
        ("floor -2.5", "floor(-2.5)"),
        ("near !img", "near(not(load('a.nii')))"),
        ("near img | img", "or(near(load('a.nii')), load('a.nii'))"),
        ("img|!img", "or(load('a.nii'), not(load('a.nii')))"),
        ("img ~> near img", "through(near(load('a.nii')), load('a.nii'))"),
        ("img >. 3", "gt_sv(3.0, load('a.nii'))"),
        ("3 .< img", "gt_sv(3.0, load('a.nii'))"),
        ("vox1.near(img)", "near(load('a.nii'))"),
        ("1 < 2 && true", "less(1.0, both(2.0, True))"),
        ('"a \\" b \\\\ c \\d"', "'a \" b \\\\ c \\\\d'"),
    ],
)
def test_expressions(text: str, plan: str) -> None:
    """An expression becomes the operations that the language defines."""
    assert value_text(text) == plan


def test_operators_take_further_arguments_in_brackets() -> None:
    """In `a OP[c, d] b` they come third and fourth; other brackets are operands."""
    head = "let @(a, b, c, d) = [a, b, c, d]\nlet @(a, b) = a * b\nlet AND(a, b) = a + b\n"
    for text, plan in [
        ("1 @[3, 4] 2", "sequence(1.0, 2.0, 3.0, 4.0)"),
        ("1 @ [3, 4] (2)", "sequence(1.0, 2.0, 3.0, 4.0)"),
        ("5 - 1 @[3, 4] 2", "subtraction(5.0, sequence(1.0, 2.0, 3.0, 4.0))"),
        ("1 @ [3, 4]", "multiplication(1.0, sequence(3.0, 4.0))"),
        (
            "1 @ [3, 4] AND 2",
            "multiplication(1.0, addition(sequence(3.0, 4.0), 2.0))",
        ),
        ("1 + [3, 4][0]", "addition(1.0, index(sequence(3.0, 4.0), 0.0))"),
    ]:
        assert goal_text(f'{head}print "x" {text}') == plan


def test_definitions_become_operators() -> None:
    """One parameter makes a prefix operator, two an infix one; names may have dots and capitals."""
    text = """
let NEG(a) = 0 - a
let +?(a, b) = (a + b) / 2
let .avg.(a, b) = +?(a, b)
let AND(a, b) = a * b
print "a" NEG 11
print "b" NEG NEG 1 +? 2
print "c" 1 .avg. 2
print "d" 3 AND NEG 4
"""
    # A dotted name is not an operator, so the third definition is an error.
    assert "expected" in compile_error(text)
    assert goal_text(text.replace(".avg.", ".+?.")) == "\n".join(
        [
            "subtraction(0.0, 11.0)",
            "division(addition(subtraction(0.0, subtraction(0.0, 1.0)), 2.0), 2.0)",
            "division(addition(1.0, 2.0), 2.0)",
            "multiplication(3.0, subtraction(0.0, 4.0))",
        ]
    )


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6))
def test_chains_group_to_the_right(items: list[int]) -> None:
    """A chain without parentheses is the one with all of them on the right."""
    nested = str(items[-1])
    for item in reversed(items[:-1]):
        nested = f"({item} - {nested})"
    assert value_text(" - ".join(map(str, items))) == value_text(nested)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("let a = 1 2", "1:11: error: expected an operator between two expressions"),
        ("let a = * 2", "expected an operand before `*`"),
        ('import "vox1"\nlet a = fold + ! [1]', "expected an operand after `!`"),
    ],
)
def test_a_missing_operand_or_operator_is_reported(text: str, message: str) -> None:
    """The message has the place and what was expected."""
    assert message in compile_error(text)
