"""From characters to words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from voxk8s.imgql import grammar
from voxk8s.imgql.diagnostics import Report
from voxk8s.imgql.source import Source
from voxk8s.imgql.syntax import Token

_BRACKETS = {"(": "LPAR", ")": "RPAR", "[": "LSQ", "]": "RSQ", ",": "COMMA"}
_TEMPLATE_NAME = rf"(?:\$?{grammar.WORD})+(?:\.(?:\$?{grammar.WORD})+)*"
"""A name in a program whose parameters are not replaced yet."""


def mixed_names(code: str) -> frozenset[str]:
    """Find the names of letters and signs, such as `B+`, that a program defines."""
    return frozenset(first or second for first, second in grammar.MIXED.findall(code))


def tokenize(
    source: Source, report: Report, mixed: Collection[str] = (), *, template: bool = False
) -> list[Token]:
    """Give the words of a text; characters that belong to none are reported and left out.

    `mixed` are the names that end in signs. A `template` keeps `$NAME` as part of names.
    """
    return list(_words(source, report, mixed, template))


def _words(
    source: Source, report: Report, mixed: Collection[str], template: bool
) -> Iterator[Token]:
    code = source.code
    match_word = _pattern(mixed, template).match
    keywords = grammar.KEYWORDS
    end = position = 0
    opened: list[str] = []
    previous = ""
    defining = False
    while True:
        match = match_word(code, position)
        kind = match.lastgroup if match else None
        if match is None or kind is None:
            return
        start, stop = match.span(kind)
        text = code[start:stop]
        tight = start == end and start > 0
        if kind == "NAME":
            kind = keywords.get(text, "NAME")
            if kind == "LET":
                defining = True
            elif (
                kind == "NAME" and previous != "LET" and "\n" in code[end:start] + "\n" * (not end)
            ):
                if grammar.BARE.match(code, start):
                    # A word without characters, so that the name stays a word of its own.
                    yield Token("BARE", "", start)
                    defining = True
                elif text == "load" and grammar.LOAD.match(code, start):
                    kind, defining = "LOAD", True
            elif text == "load" and grammar.LOAD.match(code, start) and previous != "LET":
                kind, defining = "LOAD", True
        elif kind == "OP":
            if defining and text[0] == "=" != text[1:2] and previous in ("NAME", "RPAR", "OP"):
                text, defining = "=", False
            elif text[0] == ":" and opened and opened[-1] == "[" and text not in mixed:
                kind, text = "COLON", ":"
            elif (
                text.endswith(".")
                and previous not in grammar.OPERAND_ENDS
                and code[stop : stop + 1].isdigit()
            ):
                # Before an operand there is no `-.` but the minus of `-.5`.
                text = text[:-1] or text
            if text == "=":
                kind = "EQUAL"
            stop = start + len(text)
        elif kind == "SIGN":
            kind = _BRACKETS[text]
            if text in "([":
                opened.append(text)
            elif text != "," and opened:
                opened.pop()
        elif kind == "BAD":
            stop = _refuse(source, report, text, start)
            if text != '"':
                position = end = stop
                continue
            # It stands for the string that it begins, so that it is no further error.
            kind, text = "STRING", code[start:stop]
        yield Token(kind, text, start, tight)
        # A label ends no expression: what follows it begins one.
        previous = "LABEL" if kind == "STRING" and previous in ("PRINT", "SAVE") else kind
        position = end = stop


def _pattern(mixed: Collection[str], template: bool) -> re.Pattern[str]:
    name = _TEMPLATE_NAME if template else grammar.NAME
    words = [name]
    if mixed:
        longest = sorted(mixed, key=len, reverse=True)
        words.insert(0, "|".join(map(re.escape, longest)))
    return re.compile(
        rf"{grammar.SKIPPED}(?:(?P<NAME>{'|'.join(words)})|(?P<SIGN>[()\[\],])"
        rf"|(?P<NUMBER>{grammar.NUMBER})|(?P<OP>{grammar.OPERATOR})"
        rf"|(?P<STRING>{grammar.STRING})|(?P<BAD>.))"
    )


def _refuse(source: Source, report: Report, sign: str, start: int) -> int:
    """Report what is no word; give the place where words go on."""
    if sign == '"':
        line_end = source.code.find("\n", start)
        stop = len(source.code) if line_end < 0 else line_end
        report.error(
            source, start, stop, "this string is not closed", 'a string ends with `"` on its line'
        )
        return stop
    report.error(source, start, start + 1, f"{sign!r} means nothing in ImgQL")
    return start + 1
