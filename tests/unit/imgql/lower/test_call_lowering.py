"""Tests of the lowering of calls: arities and mixed operators."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error, value_text


def test_mixed_operators_are_a_warning() -> None:
    """The warning says how a chain of different operators groups."""
    (warning,) = check_text("let a = 1 - 2 * 3")
    assert warning.severity == "warning"
    assert (warning.line, warning.column) == (1, 15)
    assert "a - (b * c)" in str(warning)
    (chain,) = check_text("let a = 1 - 2 - 3")
    assert chain.message == "a - b - c is a - (b - c) in this language"
    assert chain.hints[0].startswith("operators group to the right: write (a - b) - c")
    assert check_text("let a = 1 + 2 + 3") == ()
    assert check_text("let a = 1 - (2 * 3)") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("let a = mean(1, 2)", "`mean` takes 1 argument, found 2"),
        ("let a = range()", "`range` takes 1 or 2 arguments, found none"),
        ("let f(a) = a\nlet b = f", "`f` takes 1 argument, found none"),
        ("let f(a, b) = a\nlet c = f(1)", "signature: f(a, b), defined at main.imgql:1:5"),
        ("let v = 1\nlet b = v(2)", "`v` is a value, not a function"),
        ("let v = [1]\nlet b = v(0)", "write v[i] for an item of a sequence"),
        ("let f(a) = a(1)", "`a` is a value, not a function"),
    ],
)
def test_a_wrong_number_of_arguments_is_refused(text: str, message: str) -> None:
    """The message has the expected number and the signature."""
    assert message in compile_error(text)


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("-3", "-3.0"),
        ("-(2 + 1)", "subtraction(0.0, addition(2.0, 1.0))"),
        ("let -(a) = a * 2 in - 3", "multiplication(3.0, 2.0)"),
    ],
)
def test_a_prefix_minus(text: str, plan: str) -> None:
    """It is part of a number, or short for `0 - x`, unless the program defines one."""
    assert value_text(text) == plan
