"""Tests of the tree builder: the nodes of each form."""

from __future__ import annotations

import pytest

from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.lexer import tokenize
from voxk8s.imgql.syntax.parser import parse
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import (
    Bracket,
    Define,
    Fold,
    For,
    Group,
    Import,
    Item,
    Let,
    OutputCommand,
    Slice,
    Token,
)


def _items(expression: str) -> tuple[Item, ...]:
    source, diagnostics = Source("p", f"let a = {expression}"), Diagnostics()
    (command,) = parse(source, tokenize(source, diagnostics), diagnostics)
    assert not diagnostics.errors
    assert isinstance(command, Define)
    return command.value.items


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("b + 1", [Token, Token, Token]),
        ("f(1, 2)", [Token, Group]),
        ("f()", [Token, Group]),
        ("[]", [Bracket]),
        ("[1, 2] [0]", [Bracket, Bracket]),
        ("b[1:2]", [Token, Slice]),
        ("b[:]", [Token, Slice]),
        ("b[:2]", [Token, Slice]),
        ("b[1:]", [Token, Slice]),
        ("1 + for x in b do x", [Token, Token, For]),
        ("let x = 1 in x", [Let]),
        ("fold + 0 b", [Fold]),
        ("fold + 0 for x in b do x", [Fold]),
    ],
)
def test_the_items_of_an_expression(text: str, types: list[type]) -> None:
    """An expression is a flat chain of tokens, brackets and forms."""
    assert [type(item) for item in _items(text)] == types


def test_brackets_know_whether_they_are_tight() -> None:
    """Tight brackets belong to the item before them."""
    tight, loose = _items("b[1] [2]")[1:]
    assert isinstance(tight, Bracket)
    assert isinstance(loose, Bracket)
    assert (tight.tight, loose.tight) == (True, False)


def test_the_ends_of_a_slice_may_be_missing() -> None:
    """A missing end is None."""
    slices = [_items(f"b[{each}]")[1] for each in (":", ":2", "1:", "1:2")]
    ends = [
        (each.first is not None, each.last is not None)
        for each in slices
        if isinstance(each, Slice)
    ]
    assert ends == [(False, False), (False, True), (True, False), (True, True)]


def test_a_load_is_a_definition_of_a_call() -> None:
    """`load a = url` is `let a = load(url)`."""
    source, diagnostics = Source("p", 'load a = "f"\nimport "vox1"\nsave "x" a'), Diagnostics()
    load, imported, output = parse(source, tokenize(source, diagnostics), diagnostics)
    assert isinstance(load, Define)
    token, group = load.value.items
    assert isinstance(token, Token)
    assert (token.text, type(group)) == ("load", Group)
    assert isinstance(imported, Import)
    assert isinstance(output, OutputCommand)
    assert (output.kind, output.label.text) == ("save", '"x"')
