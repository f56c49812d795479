"""Tests of expected values in programs."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error, compile_text
from voxk8s.imgql import format_program
from voxk8s.plan.expectation import Expectation


def test_a_program_says_what_it_expects() -> None:
    """Numbers with or without a tolerance, strings and truth values."""
    text = (
        'print "a" 1\nprint "b" "x"\nexpect "a" -0.5 within 0.1\nexpect "b" "x"\nexpect "a" true\n'
    )
    assert compile_text(text).expectations == (
        Expectation("a", -0.5, 0.1),
        Expectation("b", "x"),
        Expectation("a", True),
    )
    assert format_program(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('print "dice" 1\nexpect "dise" 1', 'help: did you mean "dice"?'),
        ('expect "a" 1', '1:8: error: nothing is printed as "a"'),
        ('print "a" 1\nexpect "a" + 1', "2:12: error: expected a number"),
        ('print "a" 1\nexpect "a"', "expected"),
        ('print "a" 1\nexpect "a" 1 within', "expected a number"),
    ],
)
def test_wrong_expectations_are_reported(text: str, message: str) -> None:
    """With their place."""
    assert message in compile_error(text)


def test_its_words_may_be_names() -> None:
    """Elsewhere than at the beginning of the command."""
    assert not check_text('let expect(within) = within + 1\nprint "a" expect(1)')
