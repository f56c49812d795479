"""Parses tokens to a syntax tree with lark's LALR(1) parser and recovers from errors.

A loop of our own over lark's tables parses in half of the time, but that is only 7 % of a
compilation of 100,000 definitions and depends on lark's internals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any  # the parts on lark's stack have no common type

from lark import Lark
from lark.exceptions import UnexpectedToken

from voxk8s.imgql.syntax import grammar
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.parser_tables import load_parser
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_errors import report_syntax_error
from voxk8s.imgql.syntax.syntax_tree import (
    Command,
    Define,
    Expect,
    Import,
    OutputCommand,
    Token,
)

_MAX_ERRORS = 50


class _Unexpected(Exception):
    """The token at `index` is none of the `expected` types; `parsed` are the parts before it."""

    def __init__(self, index: int, expected: frozenset[str], parsed: list[Any]) -> None:
        super().__init__(index)
        self.index = index
        self.expected = expected
        self.parsed = parsed


def parse(source: Source, tokens: list[Token], diagnostics: Diagnostics) -> list[Command]:
    """Return the commands of a text; after an error, parsing resumes at the next command."""
    commands: list[Command] = []
    end = tokens[-1].end if tokens else 0
    terminated = [*tokens, Token("$END", "", end)]
    index = 0
    while index < len(tokens):
        begin = index
        try:
            return [*commands, *_run(terminated, begin)]
        except _Unexpected as error:
            index = error.index
            cut = next((i for i in range(begin, index) if _is_unterminated(terminated[i])), None)
            if cut is None:
                report_syntax_error(source, terminated, index, begin, error.expected, diagnostics)
            else:
                index = cut + 1
            diagnostics.unreadable_names |= _names_defined_at(tokens, begin, index)
            if error.parsed and isinstance(error.parsed[0], list):
                commands += _complete_commands(error.parsed[0])
            index = _next_command(tokens, max(index, begin + 1))
            if diagnostics.errors > _MAX_ERRORS:
                break
    return commands


def _run(tokens: Sequence[Token], begin: int) -> list[Command]:
    """Parse the tokens from `begin` to the final `$END`; raises _Unexpected."""
    interactive = _parser().parse_interactive()
    index = begin
    commands: list[Command] = []
    try:
        for index in range(begin, len(tokens)):
            # lark reads nothing but the type of a token.
            commands = interactive.feed_token(tokens[index])  # type: ignore[arg-type]
    except UnexpectedToken as error:
        parsed = interactive.parser_state.value_stack
        raise _Unexpected(index, frozenset(error.expected), parsed) from None
    return commands


@cache
def _parser() -> Lark:
    return load_parser()


def _is_unterminated(token: Token) -> bool:
    """Whether a token is an unterminated string, which may have swallowed what is missing later."""
    return token.type == "STRING" and re.fullmatch(grammar.STRING, token.text) is None


def _complete_commands(parts: list[Any]) -> list[Command]:
    return [part for part in parts if isinstance(part, Define | OutputCommand | Import | Expect)]


def _names_defined_at(tokens: list[Token], begin: int, index: int) -> set[str]:
    """Return the names that the command around a token would have defined."""
    names: set[str] = set()
    if tokens[index : index + 1] and tokens[index].text == "load":
        names.update(token.text for token in tokens[index + 1 : index + 2])
    for start in range(min(index, len(tokens) - 1), begin - 1, -1):
        if tokens[start].type in ("LET", "BARE", "LOAD") and start + 1 < len(tokens):
            names.add(tokens[start + 1].text)
            # After an unfinished expression this may be a command of its own, and the one before
            # it lacks an operand: both names are unreadable then.
            if start == begin or tokens[start - 1].type in grammar.OPERAND_ENDS:
                break
    return names


def _next_command(tokens: list[Token], index: int) -> int:
    """Return the index of the next token that can only begin a command."""
    while index < len(tokens):
        kind = tokens[index].type
        if kind in grammar.COMMANDS - {"LET"}:
            return index
        if kind == "LET" and tokens[index - 1].type in grammar.OPERAND_ENDS:
            return index
        index += 1
    return index
