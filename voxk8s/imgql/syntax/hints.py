"""What people write who know other languages, and what ImgQL has instead."""

from __future__ import annotations

from typing import Final

_COMMENT: Final = "comments begin with `//`"
_QUOTES: Final = 'strings stand in double quotes: "a"'
_CHOICE: Final = "`ifB(c, t, e)` chooses between two masks and `ifN` between two images"
_OUTPUT: Final = 'what it gives is printed or saved: print "name" {} …'
FUNCTION: Final = "a function is written let f(x) = …"

SIGNS: Final = {
    ":=": "a definition has a plain `=`",
    "==": "a definition has a single `=`",
    ";": "commands need no sign at their end",
    "'": _QUOTES,
    "#": _COMMENT,
    "/*": _COMMENT,
    "--": _COMMENT,
    "{": "sequences stand in square brackets: [1, 2]; a parameter is $NAME",
    ",": "the point of a number is a `.`",
}
"""Hints for signs that stand where the grammar does not allow them."""

NAMES: Final = {
    "=": "did you mean `==`?",
    "#": _COMMENT,
    "--": _COMMENT,
    "if": _CHOICE,
    "sum": "the sum of a sequence is fold + 0 xs",
    "len": "the length of a sequence is fold + 0 (for x in xs do 1)",
    "dice": 'there is dice_score of "arrays", and (2 * volume(a & b)) / (volume(a) + volume(b))',
    "True": "did you mean `true`?",
    "False": "did you mean `false`?",
    "WriteImage": 'files are written by a command: save "file.nii.gz" image',
    "for": _OUTPUT.format("for"),
    "fold": _OUTPUT.format("fold"),
    "def": FUNCTION,
    "lambda": "a function has a name: let f(x) = … in map(f, xs)",
}
"""Hints for names and operators that mean nothing."""

FOLLOWERS: Final = {"if": ("then", "else"), "def": ("return",)}
"""Words that belong to one that means nothing, and are no further errors."""

QUOTES: Final = {"\u201c": "\u201d", "\u201e": "\u201c", "\u00ab": "\u00bb", "\u2018": "\u2019"}
"""Typographic quotes, by which word processors replace `"`, and how they close."""


def for_token(text: str) -> str:
    """Give the hint for a word that the grammar does not allow; empty if there is none."""
    return next((hint for sign, hint in SIGNS.items() if text.startswith(sign)), "")
