"""Tests of the nodes of the syntax tree."""

from __future__ import annotations

import pytest

from voxk8s.imgql.syntax.syntax_tree import Chain, Token, string_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        ('"a b"', "a b"),
        (r'"a \" b"', 'a " b'),
        (r'"a \\ b"', r"a \ b"),
        (r'"a \\" b"', r"a \" b"),
        (r'"\d"', r"\d"),
    ],
)
def test_the_value_of_a_string(text: str, value: str) -> None:
    r"""`\\"` is a quote and `\\\\` a backslash; other backslashes are themselves."""
    assert string_value(Token("STRING", text, 0)) == value


def test_the_offsets_of_a_chain_are_those_of_its_ends() -> None:
    """A chain begins with its first item and ends after its last."""
    chain = Chain((Token("NAME", "ab", 3), Token("OP", "+", 6), Token("NUMBER", "12", 8)))
    assert (chain.start, chain.end) == (3, 10)
