"""Hints for programs that use the syntax or the functions of other languages."""

from __future__ import annotations

from typing import Final

_COMMENT: Final = "comments begin with `//`"
_QUOTES: Final = 'strings are written in double quotes: "a"'
_OUTPUT: Final = 'print or save the result: print "name" {} …'
_MODELS: Final = (
    "graphs and polyhedra, the other models of VoxLogicA 1, are not supported: images only"
)
_TESTS: Final = "kernels for tests, which VOXK8S_TEST_KERNELS=1 makes available"
FUNCTION: Final = "functions are defined by let f(x) = …"

SIGNS: Final = {
    ":=": "definitions use a plain `=`",
    "==": "definitions use a single `=`",
    ";": "commands do not end with `;`",
    "'": _QUOTES,
    "#": _COMMENT,
    "/*": _COMMENT,
    "--": _COMMENT,
    "{": "sequences are written in square brackets: [1, 2]; parameters as $NAME",
    ",": "the decimal point is `.`",
}
"""Hints for a token that the grammar does not allow, by its first characters."""

NAMES: Final = {
    "=": "did you mean `==`?",
    "#": _COMMENT,
    "--": _COMMENT,
    "len": "the number of items of a sequence is length(xs)",
    "dice": 'use dice_score of "arrays", or (2 * volume(a & b)) / (volume(a) + volume(b))',
    "True": "did you mean `true`?",
    "False": "did you mean `false`?",
    "WriteImage": 'it is called with an image and a file: WriteImage(img, "out/img.nii.gz")',
    "ap": _MODELS,
    "eta": _MODELS,
    "bnear": _MODELS,
    "frame": "videos are not supported; convert the frames to images, and loop over dir(…)",
    "fib": f"it is one of the {_TESTS}",
    "timewaste": f"it is one of the {_TESTS}",
    "for": _OUTPUT.format("for"),
    "fold": _OUTPUT.format("fold"),
    "def": FUNCTION,
    "lambda": "functions need a name: let f(x) = … in map(f, xs)",
}
"""Hints for unknown names and operators."""

NAMESPACES: Final = {
    "nnunet": "networks are not trained or applied here: do that outside, and load the masks that"
    " the network predicts",
    "test": f"it has {_TESTS}",
}
"""Why namespaces of VoxLogicA 2 cannot be imported."""

FOLLOWERS: Final = {"def": ("return",)}
"""Names that belong to an unknown one; they are not reported again."""

QUOTES: Final = {"\u201c": "\u201d", "\u201e": "\u201c", "\u00ab": "\u00bb", "\u2018": "\u2019"}
"""Typographic opening quotes, which word processors put in place of `"`, and the closing ones."""


def for_token(text: str) -> str:
    """Return the hint for a token that the grammar does not allow, empty if there is none."""
    return next((hint for sign, hint in SIGNS.items() if text.startswith(sign)), "")
