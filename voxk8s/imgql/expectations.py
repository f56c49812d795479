"""Says what a sentence should have been, when the grammar does not allow a word."""

from __future__ import annotations

from typing import Final

from voxk8s.imgql import grammar
from voxk8s.imgql.diagnostics import Report, nearest
from voxk8s.imgql.source import Source
from voxk8s.imgql.syntax import Token

_COMMANDS: Final = ("let", "load", "print", "save", "import")
_HABITS: Final = {
    ";": "commands need no sign at their end",
    "'": 'strings stand in double quotes: "a"',
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
    starts_command = "PRINT" in expected and "OP" not in expected
    if starts_command:
        near = nearest(token.text, _COMMANDS) if token.type == "NAME" else None
        hint = f"did you mean `{near}`?" if near else f"commands are {', '.join(_COMMANDS)}"
        report.error(
            source,
            token.start,
            token.end,
            f"a command cannot begin with `{token.text}`",
            'it is written load name = "file"' if token.text == "load" else hint,
        )
        return
    if ends and expected >= grammar.OPERANDS and place > begin:
        last = tokens[place - 1]
        report.error(
            source,
            last.start,
            last.end,
            f"an expression is missing after `{last.text}`",
            _HABITS.get(last.text[0], "") if last.type == "OP" else "",
        )
        return
    unfinished = _unfinished(source, tokens[begin:place]) if ends and "IN" in expected else None
    if unfinished is not None:
        report.error(
            source,
            unfinished.start,
            unfinished.end,
            "an expression is missing after `=`",
            "or an `in` after the definition below, if that is a local one",
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
        _HABITS.get(token.text[:1], ""),
    )


def _open_bracket(tokens: list[Token]) -> Token | None:
    opened: list[Token] = []
    for token in tokens:
        if token.type in _PAIRS:
            opened.append(token)
        elif token.type in _PAIRS.values() and opened:
            opened.pop()
    return opened[-1] if opened else None


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
