"""The tables of the parser, made once from the grammar and kept beside this module.

lark takes 90 ms to make them, more than all else that a small program needs, and 5 ms to load them.
They are those of one grammar and one version of lark: with another one they are made anew.
`make generate` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final  # lark's tables have no type

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from voxk8s.imgql.syntax import grammar
from voxk8s.imgql.syntax.tree_builder import TreeBuilder

TABLES_FILE: Final = Path("voxk8s/imgql/syntax/parser_tables.json")
_OBJECTS: Final = ("transformer", "lexer_callbacks", "_plugins")
"""Options of lark that are objects, and given when the tables are loaded."""


def load_parser() -> Lark:
    """Return the parser, from its tables if they are those of this grammar and this lark."""
    text = Path(__file__).with_name(TABLES_FILE.name).read_text("utf-8")
    document = json.loads(text, object_hook=_with_numbers)
    if document["made_from"] != _sources():
        return make_parser()
    # What lark's own generator of stand-alone parsers calls.
    load: Callable[..., Lark] = Lark._load_from_dict
    return load(document["data"], document["memo"], transformer=TreeBuilder())


def make_parser() -> Lark:
    """Return the parser, made from the grammar."""
    return Lark(
        grammar.RULES,
        parser="lalr",
        lexer="basic",  # not used: tokens are fed from `lexer`, where their type may need context
        start="program",
        transformer=TreeBuilder(),
        maybe_placeholders=False,
    )


def render(existing: str) -> str:
    """Return the file of the tables; unchanged if it is that of this grammar and this lark.

    The numbers of states depend on the order of sets, which is another one in each process.
    """
    if existing and json.loads(existing)["made_from"] == _sources():
        return existing
    data, memo = make_parser().memo_serialize([TerminalDef, Rule])
    for name in _OBJECTS:
        del data["options"][name]
    document = {"made_from": _sources(), "data": data, "memo": memo}
    return json.dumps(document, separators=(",", ":")) + "\n"


def _sources() -> dict[str, str]:
    digest = sha256(grammar.RULES.encode()).hexdigest()
    return {"lark": lark.__version__, "grammar": digest}


def _with_numbers(members: dict[str, Any]) -> dict[str | int, Any]:
    """Return an object of JSON with the numbers that are its keys in lark's tables."""
    return {int(key) if key.isdecimal() else key: value for key, value in members.items()}
