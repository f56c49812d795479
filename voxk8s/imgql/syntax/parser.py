"""From words to a syntax tree, by lark's LALR parser."""

from __future__ import annotations

import re

from voxk8s.imgql.syntax import grammar
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.lalr import Part, Refused, automaton
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_errors import report_syntax_error
from voxk8s.imgql.syntax.syntax_tree import Command, Define, Import, Output, Token

_MAX_ERRORS = 50


def parse(source: Source, tokens: list[Token], diagnostics: Diagnostics) -> list[Command]:
    """Give the commands of a text; after an error it goes on with the next command."""
    commands: list[Command] = []
    end = tokens[-1].end if tokens else 0
    closed = [*tokens, Token("$END", "", end)]
    index = 0
    while index < len(tokens):
        begin = index
        try:
            return [*commands, *automaton().run(closed, begin)]
        except Refused as error:
            index = error.index
            cut = next((each for each in range(begin, index) if _is_cut(closed[each])), None)
            if cut is None:
                report_syntax_error(source, closed, index, begin, error.expected, diagnostics)
            else:
                index = cut + 1
            diagnostics.unreadable_names |= _defined_at(tokens, begin, index)
            if error.made and isinstance(error.made[0], list):
                commands += _commands(error.made[0])
            index = _next_command(tokens, max(index, begin + 1))
            if diagnostics.errors > _MAX_ERRORS:
                break
    return commands


def _is_cut(token: Token) -> bool:
    """Tell whether it is a string that is not closed: what it has swallowed is not missing."""
    return token.type == "STRING" and re.fullmatch(grammar.STRING, token.text) is None


def _commands(made: list[Part]) -> list[Command]:
    return [part for part in made if isinstance(part, Define | Output | Import)]


def _defined_at(tokens: list[Token], begin: int, index: int) -> set[str]:
    """Give the names that the command around a place would have defined."""
    names: set[str] = set()
    if tokens[index : index + 1] and tokens[index].text == "load":
        names.update(token.text for token in tokens[index + 1 : index + 2])
    for start in range(min(index, len(tokens) - 1), begin - 1, -1):
        if tokens[start].type in ("LET", "BARE", "LOAD") and start + 1 < len(tokens):
            names.add(tokens[start + 1].text)
            # Where no expression ends it may be one of its own, its predecessor lacks an operand.
            if start == begin or tokens[start - 1].type in grammar.OPERAND_ENDS:
                break
    return names


def _next_command(tokens: list[Token], index: int) -> int:
    """Find the place of the next word that can only begin a command."""
    while index < len(tokens):
        kind = tokens[index].type
        if kind in ("PRINT", "SAVE", "IMPORT", "BARE", "LOAD"):
            return index
        if kind == "LET" and tokens[index - 1].type in grammar.OPERAND_ENDS:
            return index
        index += 1
    return index
