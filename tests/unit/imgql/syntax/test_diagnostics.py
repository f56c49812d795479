"""Tests of diagnostics: the line, the mark, and limits for many errors and long lines."""

from __future__ import annotations

from tests.support.imgql import check_text, compile_error


def test_the_line_is_shown_with_a_mark() -> None:
    """An error shows the line of the program and marks the token."""
    assert "  let a = nera(1)\n          ^^^^" in compile_error("let a = nera(1)")


def test_many_errors_are_cut() -> None:
    """Of many errors the first ones are shown and the rest is counted."""
    message = compile_error("\n".join(f"let a{i} = foo{i}" for i in range(10_000)))
    assert message.count("unknown name") == 20
    assert "and 9980 more errors" in message


def test_errors_of_a_long_line_share_it() -> None:
    """A thousand errors in one long line do not copy the line."""
    found = check_text('print "x" 1\n' + "é§" * 1000)
    assert len(found) > 1000
    assert len({id(each.text) for each in found if each.line == 2}) == 1


def test_a_long_line_is_cut_around_its_mark() -> None:
    """Of a long line, the part around the error is shown."""
    message = compile_error('print "x" ' + "1 + " * 500 + "foo" + " + 1" * 500)
    assert max(map(len, message.splitlines())) < 120
    assert "foo" in message.splitlines()[1]
    mark = message.splitlines()[2].index("^^^")
    assert message.splitlines()[1][mark : mark + 3] == "foo"
