"""What surrounds a word that the grammar does not allow: its command, brackets and forms."""

from __future__ import annotations

from typing import Final, NamedTuple

from voxk8s.imgql.syntax import grammar
from voxk8s.imgql.syntax.syntax_tree import Token

PAIRS: Final = {"LPAR": "RPAR", "LSQ": "RSQ"}
_INSIDE: Final = {
    "LPAR": frozenset({"RPAR", "COMMA"}),
    "LSQ": frozenset({"RSQ", "COMMA", "COLON"}),
}
"""What ends or separates expressions in brackets."""
_ENDS: Final = grammar.COMMANDS.union({"IN", "DO"}, *_INSIDE.values())


class Form(NamedTuple):
    """A `let` or `for`, and the word that it still needs."""

    token: Token
    lacks: str


class ErrorContext(NamedTuple):
    """The words of the command up to a word, and the innermost of what they leave open."""

    command: list[Token]
    opener: Token | None
    form: Form | None

    def possible(self, expected: frozenset[str]) -> frozenset[str]:
        """Leave out ends of what is not open: the grammar's states do not know where they are."""
        ends: frozenset[str] = grammar.COMMANDS
        if self.form is not None and (
            self.opener is None or self.opener.start < self.form.token.start
        ):
            ends = frozenset({self.form.lacks, "LET"})
        elif self.opener is not None:
            ends = _INSIDE[self.opener.type]
        return expected - _ENDS | expected & ends


def error_context(tokens: list[Token], begin: int, index: int) -> ErrorContext:
    """Find what surrounds the word at `place`; everything before `begin` is no part of it."""
    command = tokens[_command_start(tokens, begin, index) : index]
    return ErrorContext(command, _open_bracket(command), _unfinished_form(command))


def _open_bracket(tokens: list[Token]) -> Token | None:
    opened: list[Token] = []
    for token in tokens:
        if token.type in PAIRS:
            opened.append(token)
        elif token.type in PAIRS.values() and opened:
            opened.pop()
    return opened[-1] if opened else None


def _command_start(tokens: list[Token], begin: int, index: int) -> int:
    """Give the place of the word that began the command around `place`."""
    for start in range(index - 1, begin, -1):
        kind, before = tokens[start].type, tokens[start - 1]
        if kind in grammar.COMMANDS - {"LET"}:
            return start
        labelled = before.type == "STRING" and tokens[start - 2].type in ("PRINT", "SAVE")
        if kind == "LET" and before.type in grammar.OPERAND_ENDS and not labelled:
            return start
    return begin


def _unfinished_form(tokens: list[Token]) -> Form | None:
    """Give the innermost `let` without its `in`, or `for` without both its words, of a command."""
    waiting: list[Form] = []
    for token in tokens[1:]:
        if token.type in ("LET", "FOR"):
            waiting.append(Form(token, "IN"))
        elif waiting and token.type == waiting[-1].lacks:
            form = waiting.pop().token
            if token.type == "IN" and form.type == "FOR":
                waiting.append(Form(form, "DO"))
    return waiting[-1] if waiting else None
