"""Reports a token that the grammar does not allow: what was expected there, and what to write.

lark says which token types its state accepts. The states do not know which brackets and forms are
open, so the tokens of the command are searched for them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from voxk8s.imgql.syntax import grammar, hints
from voxk8s.imgql.syntax.diagnostics import Diagnostics, Span
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Token
from voxk8s.plan.suggest import nearest

_COMMANDS: Final = ("let", "load", "print", "save", "import", "expect")
_COMMAND_SYNTAX: Final = {
    "PRINT": 'syntax: print "label" expression',
    "SAVE": 'syntax: save "file" expression',
    "EXPECT": 'syntax: expect "name" 0.85 within 0.01',
    "IMPORT": 'syntax: import "namespace" or import "file.imgql"',
}
_AFTER_HEADER_NAME: Final = frozenset({"LPAR", "EQUAL"})
"""What may follow the name that a definition defines."""
_PAIRS: Final = {"LPAR": "RPAR", "LSQ": "RSQ"}
_INSIDE: Final = {
    "LPAR": frozenset({"RPAR", "COMMA"}),
    "LSQ": frozenset({"RSQ", "COMMA", "COLON"}),
}
"""Tokens that end or separate expressions in brackets."""
_FORMS: Final = {
    "LET": ("IN",),
    "FOR": ("IN", "DO"),
    "FILTER": ("IN", "DO"),
    "IF": ("THEN", "ELSE"),
}
"""The keywords that a form has after its first one."""
_SYNTAX: Final = {
    "LET": "let a = … in …",
    "FOR": "for x in xs do …",
    "FILTER": "filter x in xs do …",
    "IF": "if c then a else b",
}
_LATER: Final = frozenset({"IN", "DO", "THEN", "ELSE"})
_ENDS: Final = grammar.COMMANDS.union(_LATER, *_INSIDE.values())


class _OpenForm(NamedTuple):
    """A form with several keywords, and the type of the keyword that it lacks."""

    token: Token
    missing: str


class _Context(NamedTuple):
    """The tokens of the command before an error, and the innermost bracket and form left open."""

    command: list[Token]
    opener: Token | None
    form: _OpenForm | None

    def plausible(self, expected: frozenset[str]) -> frozenset[str]:
        """Return the expected token types without those that end what is not open."""
        ends: frozenset[str] = grammar.COMMANDS
        if self.form is not None and (
            self.opener is None or self.opener.start < self.form.token.start
        ):
            ends = frozenset({self.form.missing, "LET"})
        elif self.opener is not None:
            ends = _INSIDE[self.opener.type]
        return expected - _ENDS | expected & ends


def report_syntax_error(
    source: Source,
    tokens: list[Token],
    index: int,
    begin: int,
    expected: frozenset[str],
    diagnostics: Diagnostics,
) -> None:
    """Report the token at `index`, where the grammar allows only tokens of the `expected` types.

    `begin` is where the parser started; tokens before it do not matter.
    """
    token = tokens[index]
    ends = token.type == "$END" or token.type in grammar.COMMANDS - {"LET"}
    ends = ends or (token.type == "LET" and "LET" not in expected)
    context = _context(tokens, begin, index)
    expects_operand = expected >= grammar.OPERANDS
    if _report_bracket(source, token, context, ends and not expects_operand, diagnostics):
        return
    plausible = context.plausible(expected)
    if "PRINT" in plausible and "FOR" not in plausible:
        if not _continues_line(source, tokens, index):
            _report_command(source, token, diagnostics)
            return
        if context.command[0].type != "IMPORT":
            plausible |= {"OP", "EQUAL"}
    if ends and expects_operand and index > begin:
        last = tokens[index - 1]
        diagnostics.error(
            source,
            last,
            f"expected an expression after `{last.text}`",
            hints.for_token(last.text) if last.type == "OP" else "",
        )
        return
    if context.form is not None and ends and expected & _LATER:
        _report_form(source, context.command, context.form, diagnostics)
        return
    found = "the end of the program" if token.type == "$END" else f"`{token.text}`"
    if token.type == "BARE":
        found = f"a new definition, `{tokens[index + 1].text} =`"
    diagnostics.error(
        source,
        Span(max(0, token.start - (token.type == "$END")), max(token.end, token.start + 1)),
        f"expected {_spell(plausible)}, found {found}",
        _hint(tokens[index - 1] if index > begin else None, token, expected),
    )


def _context(tokens: list[Token], begin: int, index: int) -> _Context:
    """Return the context of the token at `index`; tokens before `begin` are not part of it."""
    command = tokens[_command_start(tokens, begin, index) : index]
    return _Context(command, _open_bracket(command), _open_form(command))


def _open_bracket(tokens: list[Token]) -> Token | None:
    opened: list[Token] = []
    for token in tokens:
        if token.type in _PAIRS:
            opened.append(token)
        elif token.type in _PAIRS.values() and opened:
            opened.pop()
    return opened[-1] if opened else None


def _command_start(tokens: list[Token], begin: int, index: int) -> int:
    """Return the index of the token that began the command before `index`."""
    for start in range(index - 1, begin, -1):
        kind, before = tokens[start].type, tokens[start - 1]
        if kind in grammar.COMMANDS - {"LET"}:
            return start
        labelled = before.type == "STRING" and tokens[start - 2].type in ("PRINT", "SAVE")
        if kind == "LET" and before.type in grammar.OPERAND_ENDS and not labelled:
            return start
    return begin


def _open_form(tokens: list[Token]) -> _OpenForm | None:
    """Return a command's innermost form that lacks a keyword, such as `let` without `in`."""
    waiting: list[_OpenForm] = []
    for token in tokens[1:]:
        if token.type in _FORMS:
            waiting.append(_OpenForm(token, _FORMS[token.type][0]))
        elif waiting and token.type == waiting[-1].missing:
            form = waiting.pop().token
            keywords = _FORMS[form.type]
            if token.type != keywords[-1]:
                waiting.append(_OpenForm(form, keywords[-1]))
    return waiting[-1] if waiting else None


def _report_bracket(
    source: Source, token: Token, context: _Context, command_ends: bool, diagnostics: Diagnostics
) -> bool:
    """Report an unmatched bracket, if the error is one."""
    opener = context.opener
    if token.type in _PAIRS.values() and opener is None:
        diagnostics.error(source, token, f"unmatched `{token.text}`")
        return True
    crossed = token.type in _PAIRS.values() and opener and _PAIRS[opener.type] != token.type
    if opener is not None and (crossed or command_ends):
        diagnostics.error(source, opener, f"`{opener.text}` is never closed")
        return True
    return False


def _hint(previous: Token | None, token: Token, expected: frozenset[str]) -> str:
    """Return what to write instead of a token, empty if that is not known."""
    if "NAME" in expected and token.text in grammar.KEYWORDS and not expected >= grammar.OPERANDS:
        return f"`{token.text}` is a reserved word"
    if expected == _AFTER_HEADER_NAME and token.type == "NAME":
        return hints.FUNCTION
    hint = hints.for_token(token.text)
    if hint or previous is None:
        return hint
    return _COMMAND_SYNTAX.get(previous.type, "")


def _report_command(source: Source, token: Token, diagnostics: Diagnostics) -> None:
    if token.text == "load":
        message, hint = "expected a name and `=` after `load`", 'syntax: load name = "file"'
    else:
        near = nearest(token.text, _COMMANDS) if token.type == "NAME" else None
        message = f"expected a command, found `{token.text}`"
        hint = f"did you mean `{near}`?" if near else hints.for_token(token.text)
        hint = hint or hints.NAMES.get(token.text, "")
        hint = hint or f"commands are {', '.join(_COMMANDS)}"
    diagnostics.error(source, token, message, hint)


def _report_form(
    source: Source, tokens: list[Token], form: _OpenForm, diagnostics: Diagnostics
) -> None:
    """Report a form that ends too early."""
    unfinished = _unfinished_definition(source, tokens) if form.missing == "IN" else None
    if unfinished is not None:
        diagnostics.error(
            source,
            unfinished,
            "expected an expression after `=`",
            "if the definition below is a local one, it lacks an `in`",
        )
        return
    keyword = form.token
    message = f"this `{keyword.text}` has no `{form.missing.lower()}`"
    diagnostics.error(source, keyword, message, f"syntax: {_SYNTAX[keyword.type]}")


def _unfinished_definition(source: Source, tokens: list[Token]) -> Token | None:
    """Return the last `=` that ends a line before another definition."""
    for sign, keyword in zip(reversed(tokens[:-1]), reversed(tokens[1:]), strict=True):
        if sign.type == "EQUAL" and keyword.type == "LET":
            return sign if "\n" in source.code[sign.end : keyword.start] else None
    return None


def _continues_line(source: Source, tokens: list[Token], index: int) -> bool:
    """Whether another token is before it on the same line."""
    before = tokens[index - 1].end if index else 0
    return index > 0 and "\n" not in source.code[before : tokens[index].start]


def _spell(expected: frozenset[str]) -> str:
    """Return token types as text, as in "an operator, `)` or `,`"."""
    names = []
    rest = expected
    if expected >= grammar.OPERANDS:
        # The grammar allows an operand after another, but what is missing there is an operator.
        names.append("an expression" if "FOR" in expected else "an operator")
        rest = rest - grammar.OPERANDS - {"OP", "EQUAL", "FOLD", *_FORMS}
    if rest >= {"OP", "EQUAL"}:
        names.append("an operator")
        rest = rest - {"OP", "EQUAL"}
    if "PRINT" in rest:
        names.append("a new command")
    names += sorted(grammar.SPELLING[kind] for kind in rest if kind in grammar.SPELLING)
    if not names:
        return "something else"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
