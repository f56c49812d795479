"""From words to a syntax tree, by lark's LALR parser."""

from __future__ import annotations

import re

from voxk8s.imgql.syntax import grammar
from voxk8s.imgql.syntax.diagnostics import Report
from voxk8s.imgql.syntax.lalr import Part, Refused, automaton
from voxk8s.imgql.syntax.nodes import Command, Define, Import, Output, Token
from voxk8s.imgql.syntax.source import Source
from voxk8s.imgql.syntax.syntax_errors import explain

_MOST_ERRORS = 50


def parse(source: Source, tokens: list[Token], report: Report) -> list[Command]:
    """Give the commands of a text; after an error it goes on with the next command."""
    commands: list[Command] = []
    end = tokens[-1].end if tokens else 0
    closed = [*tokens, Token("$END", "", end)]
    place = 0
    while place < len(tokens):
        begin = place
        try:
            return [*commands, *automaton().run(closed, begin)]
        except Refused as error:
            place = error.place
            cut = next((each for each in range(begin, place) if _is_cut(closed[each])), None)
            if cut is None:
                explain(source, closed, place, begin, error.expected, report)
            else:
                place = cut + 1
            report.broken |= _defined_at(tokens, begin, place)
            if error.made and isinstance(error.made[0], list):
                commands += _commands(error.made[0])
            place = _next_command(tokens, max(place, begin + 1))
            if report.errors > _MOST_ERRORS:
                break
    return commands


def _is_cut(token: Token) -> bool:
    """Tell whether it is a string that is not closed: what it has swallowed is not missing."""
    return token.type == "STRING" and re.fullmatch(grammar.STRING, token.text) is None


def _commands(made: list[Part]) -> list[Command]:
    return [part for part in made if isinstance(part, Define | Output | Import)]


def _defined_at(tokens: list[Token], begin: int, place: int) -> set[str]:
    """Give the names that the command around a place would have defined."""
    names: set[str] = set()
    if tokens[place : place + 1] and tokens[place].text == "load":
        names.update(token.text for token in tokens[place + 1 : place + 2])
    for start in range(min(place, len(tokens) - 1), begin - 1, -1):
        if tokens[start].type in ("LET", "BARE", "LOAD") and start + 1 < len(tokens):
            names.add(tokens[start + 1].text)
            # Where no expression ends it may be one of its own, its predecessor lacks an operand.
            if start == begin or tokens[start - 1].type in grammar.OPERAND_ENDS:
                break
    return names


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
