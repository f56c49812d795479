"""Tests of hints for those who know other languages."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_error


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("let a = 1;", "commands do not end with `;`"),
        ("let a = 'x'", "strings are written in double quotes"),
        ("let a = “x”", "strings are written in double quotes"),
        ("let a == 1", "definitions use a single `=`"),
        ("let a := 1", "definitions use a plain `=`"),
        ("# a remark", "comments begin with `//`"),
        ("let a = 1\n# a remark", "comments begin with `//`"),
        ("let a = if 1 then 2", "syntax: if c then a else b"),
        ("let a = filter x in [1]", "syntax: filter x in xs do"),
        ("let f = lambda x: x", "functions need a name"),
        ("let a = len([1])", "the number of items of a sequence is length(xs)"),
        ("let a = {1}", "sequences are written in square brackets: [1, 2]; parameters as $NAME"),
        ("let a = True", "did you mean `true`?"),
        ("let do = 1", "`do` is a reserved word"),
        ('load a "f"', 'syntax: load name = "file"'),
        ("let a = 1\nprint a", 'syntax: print "label" expression'),
        ("let a = for x in [1]", "syntax: for x in xs do"),
        ("let a = let b = 1", "syntax: let a = … in …"),
        ("let f x = x", "functions are defined by let f(x) = …"),
        ("def f(x): return x", "functions are defined by let f(x) = …"),
        ("for x in [1] do x", 'print or save the result: print "name" for …'),
        ("let a = 1\nfold + 0 [1]", 'print or save the result: print "name" fold …'),
        ("let a = 1\nfloor(a)", "a definition begins with `let`; show a value by print"),
    ],
)
def test_syntax_of_other_languages_has_a_hint(text: str, hint: str) -> None:
    """What other languages would allow is explained."""
    assert f"help: {hint}" in compile_error(text)


def test_names_that_follow_an_unknown_one_are_not_reported() -> None:
    """`def` is reported, `return` is not."""
    (found,) = check_text("let f = def + return")
    assert found.message == "unknown name `def`"
