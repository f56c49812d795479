"""Splits the text of a program into tokens."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Final

from voxk8s.imgql.syntax import grammar, hints
from voxk8s.imgql.syntax.diagnostics import Diagnostics, Span
from voxk8s.imgql.syntax.prefix_table import PrefixTable
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Token
from voxk8s.plan.suggest import is_encodable

_BRACKETS: Final = {"(": "LPAR", ")": "RPAR", "[": "LSQ", "]": "RSQ", ",": "COMMA"}
_HEADER_ENDS: Final = ("NAME", "RPAR", "OP")
"""Tokens that the `=` of a definition follows."""
_CHOICE: Final = ("IF", "THEN", "ELSE")
_CHOICE_WORDS: Final = ("if", "then", "else")
_TEMPLATE_NAME: Final = rf"(?:\$?{grammar.WORD})++(?:\.(?:\$?{grammar.WORD})++)*+"
"""A name in a program whose parameters are not replaced."""
_TEMPLATE_OPERATOR: Final = rf"(?:(?!\${grammar.WORD}){grammar.OPERATOR_SIGN})++"
"""An operator in such a program: a parameter may follow without a space."""
_WORD: Final = re.compile(grammar.WORD)
_SUFFIXED: Final = re.compile(grammar.WORD + grammar.OPERATOR)
"""A word and all signs after it."""


def suffixed_names(code: str) -> frozenset[str]:
    """Return the names of letters and operator signs, such as `B+`, that a program defines."""
    return frozenset(match[match.lastindex or 0] for match in grammar.SUFFIXED.finditer(code))


def tokenize(
    source: Source,
    diagnostics: Diagnostics,
    suffixed: Collection[str] = (),
    *,
    template: bool = False,
) -> list[Token]:
    """Return the tokens of a text; characters that belong to no token are reported and left out.

    `suffixed` are the names that end in operator signs. A `template` keeps `$NAME` in names.
    """
    pattern = _pattern(template=template)
    return list(_Lexer(source, diagnostics, suffixed).tokens(pattern))


class _Lexer:
    """Makes one token after the other; the type of a token may depend on those before it."""

    def __init__(self, source: Source, diagnostics: Diagnostics, suffixed: Collection[str]) -> None:
        self._source = source
        self._code = source.code
        self._diagnostics = diagnostics
        self._suffixed = PrefixTable(suffixed)
        self._suffixed_words = {
            found[0] for found in map(_WORD.match, suffixed) if found is not None
        }
        self._own = grammar.own_words(source.code)
        self._own_if = not self._own.isdisjoint(_CHOICE_WORDS)
        self._forms = 0
        self._expecting = False
        self._opened: list[str] = []
        self._previous = ""
        self._defining = False

    def tokens(self, pattern: re.Pattern[str]) -> Iterator[Token]:
        """Yield the tokens of the text."""
        match_token = pattern.match
        code = self._code
        end = 0
        while True:
            match = match_token(code, end)
            kind = match.lastgroup if match else None
            if match is None or kind is None:
                return
            start, stop = match.span(kind)
            text = code[start:stop]
            tight = start == end and start > 0
            if kind == "NAME":
                if self._suffixed_words and text.partition(".")[0] in self._suffixed_words:
                    text = self._with_suffix(text, start)
                    stop = start + len(text)
                kind = self._name(text, start)
            elif kind == "OP":
                kind, text = self._operator(text, start)
                stop = start + len(text)
            elif kind == "SIGN":
                kind = self._bracket(text)
            elif kind == "STRING" and not is_encodable(text):
                self._report_surrogate(start, stop)
            elif kind == "BAD":
                stop = self._report_error(text, start)
                if text != '"' and text not in hints.QUOTES:
                    end = stop
                    continue
                # Taken for the string that it begins, so that the parser reports no second error.
                kind, text = "STRING", code[start:stop]
            if not tight and kind in ("NAME", "OP") and self._defines(start, end):
                # An empty token, so that the name remains a token of its own.
                yield Token("BARE", "", start)
            yield Token(kind, text, start, tight)
            if kind == "STRING" and self._previous in ("PRINT", "SAVE", "EXPECT"):
                # A label does not end an expression; the expression begins after it.
                kind = "LABEL"
            self._previous = kind
            end = stop
            if kind == "COLON":
                # All of a long row at once: each time, the rest of it would be matched again.
                while code.startswith(":", end):
                    yield Token("COLON", ":", end, True)
                    end += 1

    def _name(self, text: str, start: int) -> str:
        """Return the type of a token of letters."""
        kind = grammar.KEYWORDS.get(text)
        if kind is None:
            if text == "load" and self._previous != "LET" and grammar.LOAD.match(self._code, start):
                self._defining = True
                self._forms = 0
                return "LOAD"
            return "NAME"
        if kind == "IN" and "in" in self._own:
            if not self._forms or self._previous not in grammar.OPERAND_ENDS:
                return "NAME"
            self._forms -= 1
        elif kind == "LET":
            self._defining = True
            # After an expression it is a command, and there are no forms that wait for an `in`.
            local = self._previous != "" and self._previous not in grammar.OPERAND_ENDS
            self._forms = self._forms + 1 if local else 0
        elif kind == "EXPECT":
            self._expecting = grammar.EXPECT.match(self._code, start) is not None
            return "EXPECT" if self._expecting else "NAME"
        elif (
            (kind == "WITHIN" and not self._expecting)
            or (kind in _CHOICE and self._own_if)
            or (kind == "FILTER" and not grammar.FILTER.match(self._code, start))
            or (kind == "PRINT" and text in self._own and grammar.PRINTS.match(self._code, start))
        ):
            return "NAME"
        elif kind in ("FOR", "FILTER"):
            self._forms += 1
        elif kind in grammar.COMMANDS:
            self._forms = 0
        return kind

    def _with_suffix(self, text: str, start: int) -> str:
        """Return the name that ends in operator signs at `start`; `text` if there is none."""
        found = _SUFFIXED.match(self._code, start)
        return (found and self._suffixed.longest(found[0])) or text

    def _report_surrogate(self, start: int, stop: int) -> None:
        """Report a string that is no text: parameters and editors may have such."""
        self._diagnostics.error(
            self._source,
            Span(start, stop),
            "this string has a lone surrogate, which is half of a character",
            "write the character again; a file name that is no UTF-8 cannot be used",
        )

    def _defines(self, start: int, end: int) -> bool:
        """Whether a definition without `let` begins at `start`; the token before ends at `end`."""
        if self._previous in ("LET", "LOAD"):
            return False
        if "\n" not in self._code[end:start] + "\n" * (not end):
            return False
        if not grammar.BARE.match(self._code, start):
            return False
        self._defining = True
        self._forms = 0
        return True

    def _operator(self, text: str, start: int) -> tuple[str, str]:
        """Return the type of an operator token, and those of its signs that belong to it."""
        if self._defining and text[0] == "=" != text[1:2] and self._previous in _HEADER_ENDS:
            self._defining = False
            return "EQUAL", "="
        if text[0] == ":" and self._opened[-1:] == ["["]:
            return "COLON", ":"
        if text.endswith(".") and self._previous not in grammar.OPERAND_ENDS:
            stop = start + len(text)
            if self._code[stop : stop + 1].isdigit():
                # Before an operand, `-.5` is a minus and `.5`, not the operator `-.` and `5`.
                text = text[:-1] or text
        return ("EQUAL" if text == "=" else "OP"), text

    def _bracket(self, sign: str) -> str:
        """Return the type of a bracket or comma."""
        if sign in "([":
            self._opened.append(sign)
        elif sign != "," and self._opened:
            self._opened.pop()
        return _BRACKETS[sign]

    def _report_error(self, sign: str, start: int) -> int:
        """Report what is not a token; return the offset where the next one may begin."""
        line_end = self._code.find("\n", start)
        stop = len(self._code) if line_end < 0 else line_end
        if sign == '"':
            message, hint = "unterminated string", 'a string must end with `"` on the same line'
        elif sign in hints.QUOTES:
            closed = self._code.find(hints.QUOTES[sign], start + 1, stop)
            stop = stop if closed < 0 else closed + 1
            message, hint = f"{sign!r} cannot begin a string", hints.for_token("'")
        else:
            stop, message = start + 1, f"unexpected character {sign!r}"
            hint = hints.for_token(sign)
        self._diagnostics.error(self._source, Span(start, stop), message, hint)
        return stop


@cache
def _pattern(*, template: bool) -> re.Pattern[str]:
    name = _TEMPLATE_NAME if template else grammar.NAME
    operator = _TEMPLATE_OPERATOR if template else grammar.OPERATOR
    return re.compile(
        rf"{grammar.SKIPPED}(?:(?P<NAME>{name})|(?P<SIGN>[()\[\],])"
        rf"|(?P<NUMBER>{grammar.NUMBER})|(?P<OP>{operator})"
        rf"|(?P<STRING>{grammar.STRING})|(?P<BAD>.))"
    )
