"""Tests of name lookup: unknown names and suggestions."""

from __future__ import annotations

import pytest

from tests.support.imgql import compile_error, value_text


def test_bodies_are_checked_even_if_never_called() -> None:
    """Unknown names in a function that is never called are errors."""
    assert "unknown name `foo`" in compile_error('let f(x) = x + foo\nprint "a" 1')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("let a = nowhere", "1:9: error: unknown name `nowhere`"),
        ("let a = meen([1])", "did you mean `mean`?"),
        ("let abcd = 1\nlet b = abdc", "did you mean `abcd`?"),
        ("let a = neer(1)", "did you mean `near`?"),
    ],
)
def test_an_unknown_name_has_a_suggestion(text: str, message: str) -> None:
    """The suggestion is the nearest name, or the import that defines it."""
    assert message in compile_error(text)


def test_operators_without_a_space_between_them_are_split() -> None:
    """`|!` is `|` and `!`, unless the program defines it."""
    assert value_text("img|!img") == "or(load('a.nii'), not(load('a.nii')))"
    assert value_text("let |!(a, b) = b in 1 |! 2") == "2.0"
