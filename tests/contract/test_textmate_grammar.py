"""Editors that colour by the TextMate grammar read programs as the compiler does."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from textmate_grammar.parsers.base import LanguageParser

from tests.support.paths import DATA, ROOT
from tests.tools.generate.__main__ import TEXTMATE_GRAMMAR
from voxk8s.imgql.syntax import lexer
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.grammar import KEYWORDS
from voxk8s.imgql.syntax.source_text import Source

_PROGRAMS = sorted((DATA / "programs").rglob("*.imgql"))
_SCOPES = {
    "STRING": ("string.",),
    "NUMBER": ("constant.numeric",),
    "OP": ("keyword.operator",),
    "EQUAL": ("keyword.operator",),
    "NAME": ("variable.", "entity.name.function"),
    "TRUE": ("constant.language",),
    "FALSE": ("constant.language",),
}


@cache
def _parser() -> LanguageParser:
    return LanguageParser(json.loads((ROOT / TEXTMATE_GRAMMAR).read_text("utf-8")))


def _scopes(text: str) -> dict[tuple[int, int], str]:
    """Return the innermost scope of each piece of a text by its line and column, from 1."""
    parsed = _parser().parse_string(text)
    assert parsed is not None
    # The first scope is that of all programs; inside a string there are further ones.
    return {
        (line + 1, column + 1): scopes[1]
        for (line, column), _, scopes in parsed.flatten()
        if len(scopes) > 1
    }


@pytest.mark.parametrize("path", _PROGRAMS, ids=lambda path: path.stem)
def test_tokens_have_the_scope_of_their_kind(path: Path) -> None:
    """Strings, numbers, operators, names and keywords, each where it begins."""
    text = path.read_text("utf-8")
    source = Source(path.name, text)
    tokens = lexer.tokenize(source, Diagnostics(), template=True)
    found = _scopes(text)

    wrong = []
    for token in tokens:
        place = source.position(token.start)
        known = token.type in _SCOPES or token.text in KEYWORDS
        expected = _SCOPES.get(token.type, ("keyword.",))
        if known and not found.get(place, "").startswith(expected):
            wrong.append((token.text, place, found.get(place)))

    assert wrong == []
