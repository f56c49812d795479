"""From words to a syntax tree, by lark's LALR parser."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TypeAlias, cast

from lark import Lark
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from voxk8s.imgql import grammar
from voxk8s.imgql.diagnostics import Report
from voxk8s.imgql.expectations import explain
from voxk8s.imgql.source import Source
from voxk8s.imgql.syntax import Chain, Command, Define, Header, Import, Item, Output, Token
from voxk8s.imgql.tree import TreeBuilder

_MOST_ERRORS = 50

_Part: TypeAlias = Token | Header | Chain | Item | Command | list["_Part"]
"""What the rules of the grammar make."""


def parse(source: Source, tokens: list[Token], report: Report) -> list[Command]:
    """Give the commands of a text; after an error it goes on with the next command."""
    commands: list[Command] = []
    end = tokens[-1].end if tokens else 0
    closed = [*tokens, Token("$END", "", end)]
    place = 0
    while place < len(tokens):
        parser = _parser().parse_interactive()
        feed = parser.feed_token
        begin = place
        try:
            for place in range(begin, len(closed)):
                result = feed(closed[place])  # type: ignore[arg-type] # of a token only type is used
        except UnexpectedToken as error:
            explain(source, closed, place, begin, frozenset(error.expected), report)
            report.broken |= _defined_at(tokens, begin, place)
            made = parser.parser_state.value_stack
            if made and isinstance(made[0], list):
                commands += _commands(made[0])
            place = _next_command(tokens, max(place, begin + 1))
            if report.errors > _MOST_ERRORS:
                break
        else:
            commands += cast("list[Command]", result)
            break
    return commands


def _commands(made: list[_Part]) -> list[Command]:
    return [part for part in made if isinstance(part, Define | Output | Import)]


def _defined_at(tokens: list[Token], begin: int, place: int) -> set[str]:
    """Give the name that the command around a place would have defined."""
    for start in range(min(place, len(tokens) - 1), begin - 1, -1):
        if tokens[start].type in ("LET", "BARE", "LOAD") and start + 1 < len(tokens):
            return {tokens[start + 1].text}
    return set()


def _next_command(tokens: list[Token], place: int) -> int:
    """Find the place of the next word that can only begin a command."""
    while place < len(tokens):
        kind = tokens[place].type
        if kind in ("PRINT", "SAVE", "IMPORT", "BARE", "LOAD"):
            return place
        if kind == "LET" and tokens[place - 1].type in grammar.OPERAND_ENDS:
            return place
        place += 1
    return place


class _NoLexer(Lexer):
    """Words come from `lexer`, where a word's kind may depend on what surrounds it."""

    def __init__(self, *_: object) -> None:
        pass

    def lex(self, *_: object) -> Iterator[object]:  # type: ignore[override] # never called
        """Give nothing."""
        return iter(())


@cache
def _parser() -> Lark:
    return Lark(
        grammar.RULES,
        parser="lalr",
        lexer=_NoLexer,
        start="program",
        transformer=TreeBuilder(),
        maybe_placeholders=False,
    )
