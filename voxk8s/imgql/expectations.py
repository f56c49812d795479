"""Says what a sentence should have been, when the grammar does not allow a word."""

from __future__ import annotations

from typing import Final

from voxk8s.imgql import grammar, habits
from voxk8s.imgql.diagnostics import Report, nearest
from voxk8s.imgql.source import Source
from voxk8s.imgql.syntax import Token

_COMMANDS: Final = ("let", "load", "print", "save", "import")
_FORMS: Final = {
    "PRINT": 'it is written print "label" expression',
    "SAVE": 'it is written save "file" expression',
    "IMPORT": 'it is written import "namespace" or import "file.imgql"',
}
_PAIRS: Final = {"LPAR": "RPAR", "LSQ": "RSQ"}


def explain(
    source: Source,
    tokens: list[Token],
    place: int,
    begin: int,
    expected: frozenset[str],
    report: Report,
) -> None:
    """Report the word at `place`, which the grammar does not allow there."""
    token = tokens[place]
    ends = token.type == "$END" or token.type in grammar.COMMANDS - {"LET"}
    ends = ends or (token.type == "LET" and "LET" not in expected)
    opener = _open_bracket(tokens[begin:place])
    if token.type in _PAIRS.values() and opener is None:
        report.error(source, token.start, token.end, f"`{token.text}` closes nothing")
        return
    crossed = token.type in _PAIRS.values() and opener and _PAIRS[opener.type] != token.type
    if opener is not None and (crossed or (ends and not expected >= grammar.OPERANDS)):
        report.error(source, opener.start, opener.end, f"`{opener.text}` is never closed")
        return
    if "PRINT" in expected and "OP" not in expected:
        _refuse_command(source, token, report)
        return
    if ends and expected >= grammar.OPERANDS and place > begin:
        last = tokens[place - 1]
        report.error(
            source,
            last.start,
            last.end,
            f"an expression is missing after `{last.text}`",
            habits.of_sign(last.text) if last.type == "OP" else "",
        )
        return
    lacking = _lacking(tokens[begin:place]) if ends and expected & {"IN", "DO"} else None
    if lacking is not None:
        _refuse_form(source, tokens[begin:place], lacking, expected, report)
        return
    what = "the end of the program" if token.type == "$END" else f"`{token.text}`"
    if token.type == "BARE":
        what = f"a new definition, `{tokens[place + 1].text} =`"
    report.error(
        source,
        max(0, token.start - (token.type == "$END")),
        max(token.end, token.start + 1),
        f"expected {_spell(expected)}, found {what}",
        _hint(tokens[place - 1] if place > begin else None, token, expected),
    )


def _hint(previous: Token | None, token: Token, expected: frozenset[str]) -> str:
    """Say what to do about a word, as far as it is known."""
    if "NAME" in expected and token.text in grammar.KEYWORDS and not expected >= grammar.OPERANDS:
        return f"`{token.text}` is a word of the language"
    habit = habits.of_sign(token.text)
    if habit or previous is None:
        return habit
    return _FORMS.get(previous.type, "")


def _refuse_command(source: Source, token: Token, report: Report) -> None:
    if token.text == "load":
        message, hint = "`load` needs a name and a `=`", 'it is written load name = "file"'
    else:
        near = nearest(token.text, _COMMANDS) if token.type == "NAME" else None
        message = f"a command cannot begin with `{token.text}`"
        hint = f"did you mean `{near}`?" if near else habits.of_sign(token.text)
        hint = hint or habits.NAMES.get(token.text, "")
        hint = hint or f"commands are {', '.join(_COMMANDS)}"
    report.error(source, token.start, token.end, message, hint)


def _refuse_form(
    source: Source, tokens: list[Token], form: Token, expected: frozenset[str], report: Report
) -> None:
    """Report a `let` or `for` that ends too early."""
    unfinished = _unfinished(source, tokens) if "IN" in expected else None
    if unfinished is not None:
        report.error(
            source,
            unfinished.start,
            unfinished.end,
            "an expression is missing after `=`",
            "or an `in` after the definition below, if that is a local one",
        )
        return
    word, written = (
        ("do", "for x in xs do …")
        if "DO" in expected
        else ("in", "let a = … in …" if form.type == "LET" else "for x in xs do …")
    )
    message = f"this `{form.text}` has no `{word}`"
    report.error(source, form.start, form.end, message, f"it is written {written}")


def _open_bracket(tokens: list[Token]) -> Token | None:
    opened: list[Token] = []
    for token in tokens:
        if token.type in _PAIRS:
            opened.append(token)
        elif token.type in _PAIRS.values() and opened:
            opened.pop()
    return opened[-1] if opened else None


def _lacking(tokens: list[Token]) -> Token | None:
    """Give the innermost `let` without its `in`, or `for` without its `do`, inside a command."""
    waiting: list[Token] = []
    for token in tokens[1:]:
        if token.type in ("LET", "FOR"):
            waiting.append(token)
        elif waiting and token.type == ("IN" if waiting[-1].type == "LET" else "DO"):
            waiting.pop()
    return waiting[-1] if waiting else None


def _unfinished(source: Source, tokens: list[Token]) -> Token | None:
    """Give the last `=` at the end of a line with a definition below it."""
    for sign, word in zip(reversed(tokens[:-1]), reversed(tokens[1:]), strict=True):
        if sign.type == "EQUAL" and word.type == "LET":
            return sign if "\n" in source.code[sign.end : word.start] else None
    return None


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
