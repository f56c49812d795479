"""Writes a program in its canonical form: the same tokens with other white space.

Each command begins on a line of its own; a line break within a command remains, indented by the
open brackets. Comments remain, several blank lines become one. Tokens are never joined, split or
removed, so the meaning does not change.
"""

from __future__ import annotations

import re

import msgspec

from voxk8s.imgql.syntax import grammar, lexer, parser
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Token

_INDENT = "  "
_COMMENT = re.compile(r"//[^\n]*")
_OPENING = ("LPAR", "LSQ")
_JOINING = {"NAME", "NUMBER", "OP"}
_LABELLED = ("PRINT", "SAVE", "EXPECT")
_CLOSING = ("RPAR", "RSQ")


def format_program(text: str, *, name: str = "<program>") -> str:
    """Return a program in its canonical form; raises InvalidProgram on syntax errors.

    Parameters (`$NAME`) remain as they are. Formatting is idempotent.
    """
    source = Source(name, text)
    diagnostics = Diagnostics()
    suffixed = lexer.suffixed_names(source.code) | {"B+"}
    tokens = lexer.tokenize(source, diagnostics, suffixed, template=True)
    commands = parser.parse(source, tokens, diagnostics)
    diagnostics.raise_if_errors()
    starts = {command.start for command in commands}
    return _Writer(source.code, starts).write([each for each in tokens if each.type != "BARE"])


class _Gap(msgspec.Struct, frozen=True):
    """The comments and line breaks between two tokens.

    A comment has a flag whether a blank line precedes it; one that begins on the line of the token
    before it is marked by a NUL character.
    """

    comments: tuple[tuple[str, bool], ...]
    breaks: int
    tight: bool


class _Writer:
    """Writes lines token by token."""

    def __init__(self, code: str, starts: set[int]) -> None:
        self._code = code
        self._starts = starts
        self._lines: list[str] = []
        self._line = ""
        self._depth = 0

    def write(self, tokens: list[Token]) -> str:
        """Return the text of all tokens with their comments."""
        previous: Token | None = None
        before: Token | None = None
        for token in tokens:
            gap = self._gap(previous.end if previous else 0, token.start)
            starts = token.start in self._starts
            broken = self._comments(gap, first=previous is None, inside=not starts)
            if starts:
                self._depth = 0
                self._break(blank=gap.breaks > 1 and previous is not None and not broken)
            elif (gap.breaks or broken) and previous is not None:
                self._break(blank=False)
            if token.type in _CLOSING:
                self._depth = max(0, self._depth - 1)
            if not self._line:
                self._line = _INDENT * (0 if starts else self._depth + 1)
            elif previous is not None and self._spaced(before, previous, token, gap):
                self._line += " "
            self._line += token.text
            if token.type in _OPENING:
                self._depth += 1
            if token.type == "STRING" and previous is not None and previous.type in _LABELLED:
                token = Token("LABEL", token.text, token.start)  # an expression begins after it
            before, previous = previous, token
        end = previous.end if previous else 0
        self._comments(self._gap(end, len(self._code)), first=previous is None, inside=False)
        self._break(blank=False)
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        return "".join(f"{line}\n" for line in self._lines)

    def _gap(self, start: int, end: int) -> _Gap:
        between = self._code[start:end]
        comments = []
        position = 0
        for match in _COMMENT.finditer(between):
            leading = between[position : match.start()]
            comments.append((match.group().rstrip(), leading.count("\n") > 1))
            position = match.end()
        own_line = bool(comments) and "\n" in between[: between.index("//")]
        rest = between[position:]
        shown = tuple(comments)
        if shown and not own_line and start > 0:
            # The first one is on the line of the token before.
            shown = (("\0" + shown[0][0], False), *shown[1:])
        return _Gap(shown, rest.count("\n"), not between)

    def _comments(self, gap: _Gap, *, first: bool, inside: bool) -> bool:
        """Write the comments of a gap; return whether the next token needs a line of its own."""
        for text, blank in gap.comments:
            if text.startswith("\0"):
                self._line += f"  {text[1:]}"
                self._break(blank=False)
                continue
            self._break(blank=blank and not first)
            first = False
            self._line = (_INDENT * (self._depth + 1) if inside else "") + text
            self._break(blank=False)
        if gap.comments and gap.breaks > 1 and not inside:
            self._lines.append("")
        return bool(gap.comments)

    def _break(self, *, blank: bool) -> None:
        if self._line:
            self._lines.append(self._line)
            self._line = ""
        if blank and self._lines and self._lines[-1]:
            self._lines.append("")

    def _spaced(self, before: Token | None, previous: Token, token: Token, gap: _Gap) -> bool:
        """Whether a space belongs between two tokens of a line."""
        if "$" in previous.text + token.text and {previous.type, token.type} <= _JOINING:
            # The parameter's value may form one token with its neighbour.
            return not gap.tight
        if token.type == "COMMA" or token.type in _CLOSING or previous.type in _OPENING:
            return False
        if token.type == "COLON":
            return False
        if previous.type == "COLON":
            return token.type in ("OP", "EQUAL")
        if previous.type in ("OP", "EQUAL"):
            return self._spaced_after_sign(before, previous, token, gap)
        if token.type in _OPENING and previous.type in grammar.OPERAND_ENDS:
            return not gap.tight
        return True

    def _spaced_after_sign(
        self, before: Token | None, sign: Token, token: Token, gap: _Gap
    ) -> bool:
        """Whether a space belongs after an operator."""
        if token.type in ("OP", "EQUAL") or token.text[0] in ".$_":
            return True
        if sign.text.endswith(".") and token.text[0].isdigit():
            return True
        if sign.start in self._starts or (before is not None and before.type == "LET"):
            return token.type not in _OPENING
        if before is not None and before.type == "FOLD":
            return True
        leads = before is None or before.type not in grammar.OPERAND_ENDS
        if leads and sign.type == "OP":
            return not (gap.tight or token.type in ("NUMBER", "NAME", *_OPENING))
        # Between two operands; after a name it may also be a prefix of what follows: `N -3`.
        named = before is not None and before.type == "NAME"
        return not (named and gap.tight and not sign.tight and sign.text[0] in "-!")
