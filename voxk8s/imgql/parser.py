"""From words to a syntax tree, by lark's LALR parser."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TypeAlias, cast

from lark import Lark, Transformer
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from voxk8s.imgql import grammar
from voxk8s.imgql.diagnostics import Report, nearest
from voxk8s.imgql.source import Source
from voxk8s.imgql.syntax import (
    Bracket,
    Chain,
    Command,
    Define,
    Fold,
    For,
    Group,
    Header,
    Import,
    Item,
    Let,
    Output,
    Slice,
    Token,
)

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
            for place in range(begin, len(closed)):  # noqa: B020 - where it stopped is needed
                result = feed(closed[place])  # type: ignore[arg-type] # of a token only type is used
        except UnexpectedToken as error:
            _explain(source, closed, place, begin, frozenset(error.expected), report)
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


def _explain(
    source: Source,
    tokens: list[Token],
    place: int,
    begin: int,
    expected: frozenset[str],
    report: Report,
) -> None:
    """Report the word at `place`, which the grammar does not allow there."""
    token = tokens[place]
    ends = token.type == "$END" or (token.type in grammar.COMMANDS and "LET" not in expected)
    opener = _open_bracket(tokens, begin, place)
    if opener is not None and (ends or token.type in ("RPAR", "RSQ")):
        report.error(source, opener.start, opener.end, f"`{opener.text}` is never closed")
        return
    if token.type in ("RPAR", "RSQ") and opener is None:
        report.error(source, token.start, token.end, f"`{token.text}` closes nothing")
        return
    starts_command = "PRINT" in expected and "OP" not in expected
    if starts_command:
        known = [*grammar.KEYWORDS, "load"]
        near = nearest(token.text, known) if token.type == "NAME" else None
        report.error(
            source,
            token.start,
            token.end,
            f"a command cannot begin with `{token.text}`",
            f"did you mean `{near}`?" if near else "commands are let, load, print, save, import",
        )
        return
    if ends and expected >= grammar.OPERANDS and place > begin:
        last = tokens[place - 1]
        report.error(
            source, last.start, last.end, f"an expression is missing after `{last.text}`"
        )
        return
    what = "the end of the program" if token.type == "$END" else f"`{token.text}`"
    if token.type == "BARE":
        what = f"a new definition, `{tokens[place + 1].text} =`"
    report.error(
        source,
        max(0, token.start - (token.type == "$END")),
        max(token.end, token.start + 1),
        f"expected {_spell(expected)}, found {what}",
    )


def _open_bracket(tokens: list[Token], begin: int, place: int) -> Token | None:
    opened: list[Token] = []
    for token in tokens[begin:place]:
        if token.type in ("LPAR", "LSQ"):
            opened.append(token)
        elif token.type in ("RPAR", "RSQ") and opened:
            opened.pop()
    if opened and tokens[place].type in ("RPAR", "RSQ"):
        closes = {"LPAR": "RPAR", "LSQ": "RSQ"}[opened[-1].type]
        return None if closes == tokens[place].type else opened[-1]
    return opened[-1] if opened else None


def _spell(expected: frozenset[str]) -> str:
    words = []
    rest = expected
    if expected >= grammar.OPERANDS:
        words.append("an expression")
        rest = rest - grammar.OPERANDS - {"OP", "EQUAL", "FOR", "FOLD", "LET"}
    if rest >= {"OP", "EQUAL"}:
        words.append("an operator")
        rest = rest - {"OP", "EQUAL"} - grammar.COMMANDS
    words += sorted(grammar.SPELLING[kind] for kind in rest if kind in grammar.SPELLING)
    if not words:
        return "something else"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


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
        transformer=_Build(),
        maybe_placeholders=False,
    )


class _Build(Transformer[Token, list[Command]]):
    """Makes the tree while the parser runs, so that nothing has to walk it afterwards.

    Methods have the names of the grammar's alternatives and get the parts in order.
    """

    def program(self, parts: list) -> list:
        return parts[0] if parts else []

    def first(self, parts: list) -> list:
        return parts

    def add(self, parts: list) -> list:
        parts[0].append(parts[1])
        return parts[0]

    def more(self, parts: list) -> list:
        parts[0].append(parts[2])
        return parts[0]

    def define(self, parts: list) -> Define:
        return Define(parts[1], parts[3], parts[0].start)

    def load(self, parts: list) -> Define:
        keyword, header, _, value = parts
        call = Token("NAME", "load", keyword.start)
        group = Group((value,), value.start, value.end)
        return Define(header, Chain((call, group)), keyword.start)

    def output(self, parts: list) -> Output:
        return Output(parts[0].text, parts[1], parts[2], parts[0].start)

    def import_(self, parts: list) -> Import:
        return Import(parts[1], parts[0].start)

    def value_header(self, parts: list) -> Header:
        return Header(parts[0], None)

    def function_header(self, parts: list) -> Header:
        return Header(parts[0], tuple(parts[2]) if len(parts) > 3 else ())

    def chain(self, parts: list) -> Chain:
        return Chain(tuple(parts[0]))

    def tail_chain(self, parts: list) -> Chain:
        return Chain((parts[0],))

    def extended_chain(self, parts: list) -> Chain:
        return Chain((*parts[0], parts[1]))

    def let(self, parts: list) -> Let:
        return Let(parts[1], parts[3], parts[5], parts[0].start)

    def for_(self, parts: list) -> For:
        return For(parts[1], parts[3], parts[5], parts[0].start)

    def fold(self, parts: list) -> Fold:
        return Fold(parts[1].items, parts[0].start)

    def fold_loop(self, parts: list) -> Fold:
        return Fold((*parts[1], parts[2]), parts[0].start)

    def empty_group(self, parts: list) -> Group:
        return Group((), parts[0].start, parts[1].end, parts[0].tight)

    def group(self, parts: list) -> Group:
        return Group(tuple(parts[1]), parts[0].start, parts[2].end, parts[0].tight)

    def empty_bracket(self, parts: list) -> Bracket:
        return Bracket((), parts[0].start, parts[1].end, parts[0].tight)

    def bracket(self, parts: list) -> Bracket:
        return Bracket(tuple(parts[1]), parts[0].start, parts[2].end, parts[0].tight)

    def slice_all(self, parts: list) -> Slice:
        return Slice(None, None, parts[0].start, parts[-1].end, parts[0].tight)

    def slice_to(self, parts: list) -> Slice:
        return Slice(None, parts[2], parts[0].start, parts[-1].end, parts[0].tight)

    def slice_from(self, parts: list) -> Slice:
        return Slice(parts[1], None, parts[0].start, parts[-1].end, parts[0].tight)

    def slice(self, parts: list) -> Slice:
        return Slice(parts[1], parts[3], parts[0].start, parts[-1].end, parts[0].tight)
