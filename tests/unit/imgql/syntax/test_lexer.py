"""Tests of the lexer: characters become tokens."""

from __future__ import annotations

import pytest

from tests.support.imgql import check_text, compile_text
from voxk8s.errors import InvalidProgram
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.lexer import suffixed_names, tokenize
from voxk8s.imgql.syntax.source_text import Source


def _words(text: str) -> list[str]:
    return [
        token.text for token in tokenize(Source("p", text), Diagnostics(), suffixed_names(text))
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3 .5 1e-3 2.5E+2", ["3", ".5", "1e-3", "2.5E+2"]),
        ("3. (4.) [5.,6.]", ["3.", "(", "4.", ")", "[", "5.", ",", "6.", "]"]),
        ("3. + 4.", ["3.", "+", "4."]),
        ("10-4-3", ["10", "-", "4", "-", "3"]),
        ("3.<.4", ["3", ".<.", "4"]),
        ("vox1.near(a)", ["vox1.near", "(", "a", ")"]),
        ("a +?b", ["a", "+?", "b"]),
        ("xs[1:-1]", ["xs", "[", "1", ":", "-", "1", "]"]),
        ("a : b", ["a", ":", "b"]),
        ("_x_1 B_", ["_x_1", "B_"]),
        ("a // b\nc", ["a", "c"]),
        ("a //", ["a"]),
        ('"http://x" y', ['"http://x"', "y"]),
        ("let B+(a) = a B+ a", ["let", "B+", "(", "a", ")", "=", "a", "B+", "a"]),
        ("B+(a) = a\nx B+ a", ["", "B+", "(", "a", ")", "=", "a", "x", "B+", "a"]),
        ("+?(a,b) =a\n+(a)", ["", "+?", "(", "a", ",", "b", ")", "=", "a", "+", "(", "a", ")"]),
        ("let x=-3", ["let", "x", "=", "-", "3"]),
        ("let x=(a) + b", ["let", "x", "=", "(", "a", ")", "+", "b"]),
        ("let x' = 3 + x'", ["let", "x'", "=", "3", "+", "x'"]),
    ],
)
def test_tokens(text: str, words: list[str]) -> None:
    """The longest token is taken, as far as its context allows."""
    assert _words(text) == words


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("xs[1:2]", ["NAME", "LSQ", "NUMBER", "COLON", "NUMBER", "RSQ"]),
        ("(a : b)", ["LPAR", "NAME", "OP", "NAME", "RPAR"]),
        ("let a = b", ["LET", "NAME", "EQUAL", "NAME"]),
        ("a == b", ["NAME", "OP", "NAME"]),
        ("load a = b", ["LOAD", "NAME", "EQUAL", "NAME"]),
        ("load(a)", ["NAME", "LPAR", "NAME", "RPAR"]),
        ("a = load", ["BARE", "NAME", "EQUAL", "NAME"]),
        ("let in = in + a in", ["LET", "NAME", "EQUAL", "NAME", "OP", "NAME", "NAME"]),
        (
            "f(in) = let a = in in (N in)\nb = in",
            [
                *("BARE", "NAME", "LPAR", "NAME", "RPAR", "EQUAL", "LET", "NAME", "EQUAL", "NAME"),
                *("IN", "LPAR", "NAME", "NAME", "RPAR", "BARE", "NAME", "EQUAL", "NAME"),
            ],
        ),
        ("for in in in do in", ["FOR", "NAME", "IN", "NAME", "DO", "NAME"]),
        (
            'let print(a, b) = a\nprint "a" print("b", 1)',
            [
                *("LET", "NAME", "LPAR", "NAME", "COMMA", "NAME", "RPAR", "EQUAL", "NAME"),
                *("PRINT", "STRING", "NAME", "LPAR", "STRING", "COMMA", "NUMBER", "RPAR"),
            ],
        ),
    ],
)
def test_the_type_of_a_token_depends_on_its_context(text: str, types: list[str]) -> None:
    """A colon in brackets, `load` and definitions without `let` have types of their own."""
    assert [token.type for token in tokenize(Source("p", text), Diagnostics())] == types


def test_a_string_in_typographic_quotes_is_one_error() -> None:
    """It is taken for a string; the following tokens are not affected."""
    found = check_text("print “a b” 1\nlet b = foo")
    assert [(each.line, each.column) for each in found] == [(1, 7), (2, 9)]


def test_an_unterminated_string_is_one_error() -> None:
    """Its characters cause no further errors, and the next line is not affected."""
    found = check_text('print "a" "not closed (\nprint "b" foo')
    assert [(each.line, each.message) for each in found] == [
        (1, "unterminated string"),
        (2, "unknown name `foo`"),
    ]
    (label,) = check_text('print "a')
    assert label.message == "unterminated string"


@pytest.mark.parametrize(
    "text", ['print "x" "\udc00"', 'save "\ud800.json" 1', 'let a = "$A"\nprint "x" a']
)
def test_a_string_with_half_a_character_is_an_error(text: str) -> None:
    """Nothing can be computed from it: no text can be encoded that has it."""
    with pytest.raises(InvalidProgram, match="lone surrogate"):
        compile_text(text, parameters={"A": "\udc00"})
