"""Tests of the formatter: the same tokens in canonical form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import examples
from voxk8s.errors import InvalidProgram
from voxk8s.imgql import format_program
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.lexer import suffixed_names, tokenize
from voxk8s.imgql.syntax.parser import parse
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Define, OutputCommand


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("let   a=1", "let a = 1\n"),
        ("let f( x,y )=x+y  *2", "let f(x, y) = x + y * 2\n"),
        ("let a=-3", "let a = -3\n"),
        ("let a = N - 3", "let a = N - 3\n"),
        ("let a = N -3 + - 2", "let a = N -3 + -2\n"),
        ("let a = ! b | !c", "let a = !b | !c\n"),
        ("let +?( a,b ) = a", "let +?(a, b) = a\n"),
        ("+? ( a,b ) = a", "+?(a, b) = a\n"),
        ("let a=xs[ 0 : 2 ] [1]", "let a = xs[0:2] [1]\n"),
        ("let a = 1 let b = 2", "let a = 1\nlet b = 2\n"),
        ("a = 1\n\n\n\nb = 2", "a = 1\n\nb = 2\n"),
        ("// c\nlet a = 1 // d\n// e", "// c\nlet a = 1  // d\n// e\n"),
        ("let a = f(\n1,\n2)", "let a = f(\n    1,\n    2)\n"),
        ("let img$C=f $A", "let img$C = f $A\n"),
        ("let a = (*. 3)", "let a = (*. 3)\n"),
        ("let a = x$C.y", "let a = x$C.y\n"),
        ("a =$C", "a = $C\n"),
        # The value may be a number that the sign after it ends; `$` alone is a sign.
        ("a = 2 .*$A. f(b)", "a = 2 .*$A. f(b)\n"),
        ("a = 2 .*$ b", "a = 2 .*$ b\n"),
        ('load a\n=// d\n"f"', 'load a\n  =  // d\n  "f"\n'),
        ("let f(x)=$C", "let f(x) = $C\n"),
        # The underscore is a sign of operators as well.
        ('print "a" - _(1) + -  _b', 'print "a" - _(1) + - _b\n'),
        ('print "a" !m & - 3', 'print "a" !m & -3\n'),
        ('print "a"(1)', 'print "a" (1)\n'),
        ('print "a"  fold+0 xs', 'print "a" fold + 0 xs\n'),
        ("", ""),
        ("// only", "// only\n"),
    ],
)
def test_canonical_form(text: str, formatted: str) -> None:
    """One space between tokens, one command a line; comments and line breaks remain."""
    assert format_program(text) == formatted
    assert format_program(formatted) == formatted


def test_a_program_with_a_syntax_error_is_refused() -> None:
    """A program with syntax errors is not formatted."""
    with pytest.raises(InvalidProgram, match="never closed"):
        format_program("let a = (1")


_ATOMS = st.sampled_from(["a", "B", "x1", "3", ".5", "1e-3", "true", '"s // t"', "vox1.f", "[]"])
_SIGNS = st.sampled_from(["+", "-", ".<=", "=", "~>", "!", "*.", "|", ".", "B+"])
_GAPS = st.sampled_from(["", " ", "  ", "\n ", " // c\n ", "\n\n// d\n"])


def _expressions() -> st.SearchStrategy[list[str]]:
    def extend(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
        return st.one_of(
            st.tuples(inner, _SIGNS, inner).map(lambda it: [*it[0], it[1], *it[2]]),
            st.tuples(_SIGNS, inner).map(lambda it: [it[0], *it[1]]),
            inner.map(lambda it: ["(", *it, ")"]),
            st.tuples(st.sampled_from(["f", "g"]), inner, inner).map(
                lambda it: [it[0], "(", *it[1], ",", *it[2], ")"]
            ),
            st.tuples(inner, inner).map(lambda it: ["xs", "[", *it[0], ":", *it[1], "]"]),
            inner.map(lambda it: ["for", "i", "in", *it, "do", "i"]),
            st.tuples(inner, inner).map(lambda it: ["let", "k", "=", *it[0], "in", *it[1]]),
            inner.map(lambda it: ["fold", "+", "0", *it]),
        )

    return st.recursive(_ATOMS.map(lambda atom: [atom]), extend, max_leaves=8)


@st.composite
def _programs(draw: st.DrawFn) -> str:
    text = ""
    for number in range(draw(st.integers(0, 4))):
        head = draw(
            st.sampled_from(
                [
                    f"let a{number} =",
                    f"b{number} =",
                    f"let f{number}(p, q) =",
                    'print "l"',
                    "let +?(a, b) =",
                    "let B+(a) =",
                    "let q' =",
                ]
            )
        )
        text += head
        for word in draw(_expressions()):
            gap = draw(_GAPS)
            text += (gap or " ") + word if text[-1].isalnum() or gap else word
        text += draw(st.sampled_from(["\n", "\n\n\n", " // e\n"]))
    return text


def _read(text: str) -> tuple[list[tuple[str, str]], list[object], int] | None:
    source, diagnostics = Source("p", text), Diagnostics()
    tokens = tokenize(source, diagnostics, suffixed_names(text) | {"B+"}, template=True)
    commands = parse(source, tokens, diagnostics)
    if diagnostics.errors:
        return None
    shape = [
        (
            type(each).__name__,
            each.header.name.text if isinstance(each, Define) else each.label.text,
        )
        for each in commands
        if isinstance(each, Define | OutputCommand)
    ]
    return [(each.type, each.text) for each in tokens], list(shape), text.count("//")


@examples(60)
@given(_programs())
def test_tokens_commands_and_comments_remain(text: str) -> None:
    """Formatting changes no token, command or comment, and is idempotent."""
    before = _read(text)
    if before is None:
        return
    formatted = format_program(text)
    assert _read(formatted) == before
    assert format_program(formatted) == formatted
