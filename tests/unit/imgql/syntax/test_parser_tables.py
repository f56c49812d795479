"""The tables of the parser that are kept in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator

import lark
import pytest

from tests.support.paths import ROOT
from voxk8s.imgql.syntax import grammar, parser, parser_tables
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.lexer import suffixed_names, tokenize
from voxk8s.imgql.syntax.parser_tables import TABLES_FILE, load_parser, make_parser, render
from voxk8s.imgql.syntax.source_text import Source

LIBRARY = sorted((ROOT / "voxk8s/imgql/library").rglob("*.imgql"))
WRONG = ["print 1", "let f( = 2", 'print "x" (1 + ', 'load a "b"', "for x in", "let x = 1 let"]


@pytest.fixture
def fresh() -> Iterator[None]:
    """The parser is created anew, before and after."""
    parser._parser.cache_clear()
    yield
    parser._parser.cache_clear()


def _outcomes() -> list[object]:
    outcomes: list[object] = []
    for text in [*(path.read_text() for path in LIBRARY), *WRONG]:
        source, diagnostics = Source("p", text), Diagnostics()
        tokens = tokenize(source, diagnostics, suffixed_names(text))
        outcomes.append((parser.parse(source, tokens, diagnostics), diagnostics.all()))
    return outcomes


def test_kept_tables_parse_like_new_ones(monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    """Trees and messages are equal, for the standard library and for programs with errors."""
    assert LIBRARY
    kept = _outcomes()
    parser._parser.cache_clear()
    monkeypatch.setattr(parser, "load_parser", make_parser)
    assert repr(_outcomes()) == repr(kept)


def test_kept_tables_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables in the repository are those of this grammar, with the locked version of lark."""
    monkeypatch.setattr(parser_tables, "make_parser", lambda: pytest.fail("made anew"))
    load_parser()


@pytest.mark.parametrize("change", ["grammar", "lark"])
def test_tables_of_something_else_are_not_used(
    monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """With another grammar or another lark the parser is made from the grammar."""
    made = make_parser()
    if change == "lark":
        monkeypatch.setattr(lark, "__version__", "0.0")
    else:
        monkeypatch.setattr(grammar, "RULES", grammar.RULES + "\n")
    monkeypatch.setattr(parser_tables, "make_parser", lambda: made)
    assert load_parser() is made


def test_tables_that_are_current_are_kept() -> None:
    """Making them twice would give other numbers of states."""
    existing = (ROOT / TABLES_FILE).read_text()
    assert render(existing) == existing
    other = json.dumps({**json.loads(existing), "made_from": {}})
    assert json.loads(render(other))["made_from"] == json.loads(existing)["made_from"]
