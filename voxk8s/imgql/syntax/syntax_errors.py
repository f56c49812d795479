"""Says what a sentence should have been, when the grammar does not allow a word."""

from __future__ import annotations

from typing import Final

from voxk8s.imgql.syntax import grammar, hints
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.error_context import PAIRS, ErrorContext, Form, error_context
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Token
from voxk8s.plan.suggest import nearest

_COMMANDS: Final = ("let", "load", "print", "save", "import")
_FORMS: Final = {
    "PRINT": 'it is written print "label" expression',
    "SAVE": 'it is written save "file" expression',
    "IMPORT": 'it is written import "namespace" or import "file.imgql"',
}
_FUNCTION: Final = frozenset({"LPAR", "EQUAL"})
"""What may follow the name that a definition defines."""


def report_syntax_error(
    source: Source,
    tokens: list[Token],
    index: int,
    begin: int,
    expected: frozenset[str],
    diagnostics: Diagnostics,
) -> None:
    """Report the word at `place`, which the grammar does not allow there."""
    token = tokens[index]
    ends = token.type == "$END" or token.type in grammar.COMMANDS - {"LET"}
    ends = ends or (token.type == "LET" and "LET" not in expected)
    around = error_context(tokens, begin, index)
    if _report_bracket(
        source, token, around, ends and not expected >= grammar.OPERANDS, diagnostics
    ):
        return
    possible = around.possible(expected)
    if "PRINT" in possible and "FOR" not in possible:
        if not _continues_line(source, tokens, index):
            _report_command(source, token, diagnostics)
            return
        if around.command[0].type != "IMPORT":
            possible |= {"OP", "EQUAL"}
    if ends and expected >= grammar.OPERANDS and index > begin:
        last = tokens[index - 1]
        diagnostics.error(
            source,
            last.start,
            last.end,
            f"an expression is missing after `{last.text}`",
            hints.for_token(last.text) if last.type == "OP" else "",
        )
        return
    if around.form is not None and ends and expected & {"IN", "DO"}:
        _report_form(source, around.command, around.form, diagnostics)
        return
    what = "the end of the program" if token.type == "$END" else f"`{token.text}`"
    if token.type == "BARE":
        what = f"a new definition, `{tokens[index + 1].text} =`"
    diagnostics.error(
        source,
        max(0, token.start - (token.type == "$END")),
        max(token.end, token.start + 1),
        f"expected {_spell(possible)}, found {what}",
        _hint(tokens[index - 1] if index > begin else None, token, expected),
    )


def _report_bracket(
    source: Source, token: Token, around: ErrorContext, cut: bool, diagnostics: Diagnostics
) -> bool:
    """Report a bracket that is never opened or closed; `cut` says that the command ends here."""
    opener = around.opener
    if token.type in PAIRS.values() and opener is None:
        diagnostics.error(source, token.start, token.end, f"`{token.text}` closes nothing")
        return True
    crossed = token.type in PAIRS.values() and opener and PAIRS[opener.type] != token.type
    if opener is not None and (crossed or cut):
        diagnostics.error(source, opener.start, opener.end, f"`{opener.text}` is never closed")
        return True
    return False


def _hint(previous: Token | None, token: Token, expected: frozenset[str]) -> str:
    """Say what to do about a word, as far as it is known."""
    if "NAME" in expected and token.text in grammar.KEYWORDS and not expected >= grammar.OPERANDS:
        return f"`{token.text}` is a word of the language"
    if expected == _FUNCTION and token.type == "NAME":
        return hints.FUNCTION
    habit = hints.for_token(token.text)
    if habit or previous is None:
        return habit
    return _FORMS.get(previous.type, "")


def _report_command(source: Source, token: Token, diagnostics: Diagnostics) -> None:
    if token.text == "load":
        message, hint = "`load` needs a name and a `=`", 'it is written load name = "file"'
    else:
        near = nearest(token.text, _COMMANDS) if token.type == "NAME" else None
        message = f"a command cannot begin with `{token.text}`"
        hint = f"did you mean `{near}`?" if near else hints.for_token(token.text)
        hint = hint or hints.NAMES.get(token.text, "")
        hint = hint or f"commands are {', '.join(_COMMANDS)}"
    diagnostics.error(source, token.start, token.end, message, hint)


def _report_form(source: Source, tokens: list[Token], form: Form, diagnostics: Diagnostics) -> None:
    """Report a `let` or `for` that ends too early."""
    unfinished = _unfinished(source, tokens) if form.lacks == "IN" else None
    if unfinished is not None:
        diagnostics.error(
            source,
            unfinished.start,
            unfinished.end,
            "an expression is missing after `=`",
            "or an `in` after the definition below, if that is a local one",
        )
        return
    word = form.token
    written = "let a = … in …" if word.type == "LET" else "for x in xs do …"
    message = f"this `{word.text}` has no `{form.lacks.lower()}`"
    diagnostics.error(source, word.start, word.end, message, f"it is written {written}")


def _unfinished(source: Source, tokens: list[Token]) -> Token | None:
    """Give the last `=` at the end of a line with a definition below it."""
    for sign, word in zip(reversed(tokens[:-1]), reversed(tokens[1:]), strict=True):
        if sign.type == "EQUAL" and word.type == "LET":
            return sign if "\n" in source.code[sign.end : word.start] else None
    return None


def _continues_line(source: Source, tokens: list[Token], index: int) -> bool:
    """Tell whether another word stands before it on its line."""
    before = tokens[index - 1].end if index else 0
    return index > 0 and "\n" not in source.code[before : tokens[index].start]


def _spell(expected: frozenset[str]) -> str:
    words = []
    rest = expected
    if expected >= grammar.OPERANDS:
        # An operand may follow another one, but whoever left something out meant an operator.
        words.append("an expression" if "FOR" in expected else "an operator")
        rest = rest - grammar.OPERANDS - {"OP", "EQUAL", "FOR", "FOLD", "LET"}
    if rest >= {"OP", "EQUAL"}:
        words.append("an operator")
        rest = rest - {"OP", "EQUAL"}
    if "PRINT" in rest:
        words.append("a new command")
    words += sorted(grammar.SPELLING[kind] for kind in rest if kind in grammar.SPELLING)
    if not words:
        return "something else"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
