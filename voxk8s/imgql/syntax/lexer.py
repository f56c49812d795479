"""From characters to words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from voxk8s.imgql.syntax import grammar, hints
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Token

_BRACKETS: Final = {"(": "LPAR", ")": "RPAR", "[": "LSQ", "]": "RSQ", ",": "COMMA"}
_HEADER_ENDS: Final = ("NAME", "RPAR", "OP")
"""Words that the `=` of a definition follows."""
_TEMPLATE_NAME: Final = rf"(?:\$?{grammar.WORD})+(?:\.(?:\$?{grammar.WORD})+)*"
"""A name in a program whose parameters are not replaced yet."""


def suffixed_names(code: str) -> frozenset[str]:
    """Find the names of letters and signs, such as `B+`, that a program defines."""
    return frozenset(match[match.lastindex or 0] for match in grammar.MIXED.finditer(code))


def tokenize(
    source: Source, diagnostics: Diagnostics, mixed: Collection[str] = (), *, template: bool = False
) -> list[Token]:
    """Give the words of a text; characters that belong to none are reported and left out.

    `mixed` are the names that end in signs. A `template` keeps `$NAME` as part of names.
    """
    return list(_Lexer(source, diagnostics, mixed).words(_pattern(mixed, template)))


class _Lexer:
    """Reads word by word; what a word is may depend on those before it."""

    def __init__(self, source: Source, diagnostics: Diagnostics, mixed: Collection[str]) -> None:
        self._source = source
        self._code = source.code
        self._diagnostics = diagnostics
        self._mixed = mixed
        self._opened: list[str] = []
        self._previous = ""
        self._defining = False

    def words(self, pattern: re.Pattern[str]) -> Iterator[Token]:
        """Give the words of the text."""
        match_word = pattern.match
        code = self._code
        end = 0
        while True:
            match = match_word(code, end)
            kind = match.lastgroup if match else None
            if match is None or kind is None:
                return
            start, stop = match.span(kind)
            text = code[start:stop]
            tight = start == end and start > 0
            if kind == "NAME":
                kind = self._name(text, start)
            elif kind == "OP":
                kind, text = self._operator(text, start)
                stop = start + len(text)
            elif kind == "SIGN":
                kind = self._bracket(text)
            elif kind == "BAD":
                stop = self._report_error(text, start)
                if text != '"' and text not in hints.QUOTES:
                    end = stop
                    continue
                # It stands for the string that it begins, so that it is no further error.
                kind, text = "STRING", code[start:stop]
            if kind in ("NAME", "OP") and self._defines(start, end):
                # A word without characters, so that the name stays a word of its own.
                yield Token("BARE", "", start)
            yield Token(kind, text, start, tight)
            # A label ends no expression: what follows it begins one.
            labelled = kind == "STRING" and self._previous in ("PRINT", "SAVE")
            self._previous = "LABEL" if labelled else kind
            end = stop

    def _name(self, text: str, start: int) -> str:
        """Give the kind of a word of letters."""
        kind = grammar.KEYWORDS.get(text, "NAME")
        if kind == "LET":
            self._defining = True
        elif text == "load" and self._previous != "LET" and grammar.LOAD.match(self._code, start):
            self._defining = True
            return "LOAD"
        return kind

    def _defines(self, start: int, end: int) -> bool:
        """Tell whether a definition without `let` begins here; the word before ends at `end`."""
        if self._previous in ("LET", "LOAD"):
            return False
        if "\n" not in self._code[end:start] + "\n" * (not end):
            return False
        if not grammar.BARE.match(self._code, start):
            return False
        self._defining = True
        return True

    def _operator(self, text: str, start: int) -> tuple[str, str]:
        """Give the kind of an operator, and as much of its signs as belong to it."""
        if self._defining and text[0] == "=" != text[1:2] and self._previous in _HEADER_ENDS:
            self._defining = False
            return "EQUAL", "="
        if text[0] == ":" and self._opened[-1:] == ["["] and text not in self._mixed:
            return "COLON", ":"
        if text.endswith(".") and self._previous not in grammar.OPERAND_ENDS:
            stop = start + len(text)
            if self._code[stop : stop + 1].isdigit():
                # Before an operand there is no `-.` but the minus of `-.5`.
                text = text[:-1] or text
        return ("EQUAL" if text == "=" else "OP"), text

    def _bracket(self, sign: str) -> str:
        """Give the kind of a bracket or comma."""
        if sign in "([":
            self._opened.append(sign)
        elif sign != "," and self._opened:
            self._opened.pop()
        return _BRACKETS[sign]

    def _report_error(self, sign: str, start: int) -> int:
        """Report what is no word; give the place where words go on."""
        line_end = self._code.find("\n", start)
        stop = len(self._code) if line_end < 0 else line_end
        if sign == '"':
            message, hint = "this string is not closed", 'a string ends with `"` on its line'
        elif sign in hints.QUOTES:
            closed = self._code.find(hints.QUOTES[sign], start + 1, stop)
            stop = stop if closed < 0 else closed + 1
            message, hint = f"{sign!r} begins no string", 'strings stand in double quotes: "a"'
        else:
            stop, message = start + 1, f"{sign!r} means nothing in ImgQL"
            hint = hints.for_token(sign)
        self._diagnostics.error(self._source, start, stop, message, hint)
        return stop


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
