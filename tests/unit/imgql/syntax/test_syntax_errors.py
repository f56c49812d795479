"""Tests of syntax errors: their place, what was expected and what was found."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("let a = (1 + 2\nlet b = 3", "1:9", "`(` is never closed"),
        ("let a = [1, 2", "1:9", "`[` is never closed"),
        ("let a = 1)", "1:10", "unmatched `)`"),
        ("let a = (1]", "1:9", "`(` is never closed"),
        ('let a =\nprint "x" 1', "1:7", "expected an expression after `=`"),
        ("let a = 1\nfor x in [1] do x", "2:1", "expected a command, found `for`"),
        ("let a = 1 for x in [1] do x", "1:11", "expected an operator or a new command, found"),
        ("let a = 1, 2", "1:10", "expected an operator or a new command, found `,`"),
        ("let a = for x in [1] for", "1:22", "expected an operator or `do`, found `for`"),
        ("let a = (1 fold", "1:12", "expected an operator, `)` or `,`, found `fold`"),
        ("let a = [1 for", "1:12", "expected an operator, `,`, `:` or `]`, found `for`"),
        ("let a = 1 +", "1:11", "expected an expression after `+`"),
        ("lte a = 1", "1:1", "expected a command, found `lte`"),
        ("print 3", "1:7", "expected a string in double quotes, found `3`"),
        ('print "a" for x on xs do x', "1:17", "expected `in`, found `on`"),
        ('let "a" = 3', "1:5", "expected an operator or a name, found"),
        ('print "a', "1:7", "unterminated string"),
        ("let a = {1}", "1:9", "unexpected character '{'"),
        ("let a == 3", "1:7", "expected `(` or `=`, found `==`"),
        ("let f(a,) = 1", "1:9", "expected a name, found `)`"),
    ],
)
def test_a_syntax_error_has_its_place_and_what_was_expected(
    text: str, place: str, message: str
) -> None:
    """A syntax error has line and column, the expected tokens and the token found."""
    assert f"main.imgql:{place}: error: {message}" in compile_error(text)


def test_a_misspelt_command_is_suggested() -> None:
    """The hint is the nearest command."""
    assert "did you mean `print`?" in compile_error('prnit "x" 1')


def test_a_definition_without_a_value_is_reported_at_its_sign() -> None:
    """The definition below it is not taken for a local one; neither name is unknown then."""
    (found,) = check_text('let a =\nlet b = 3\nprint "x" a + b')
    assert (found.line, found.message) == (1, "expected an expression after `=`")
