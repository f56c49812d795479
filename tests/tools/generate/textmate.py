"""The TextMate grammar of ImgQL, by which editors without a language server colour programs."""

from __future__ import annotations

from typing import Any, Final

from voxk8s.imgql.syntax.grammar import KEYWORDS, NUMBER, OPERATOR, STRING, WORD

_CONSTANTS: Final = ("true", "false")
_COMMANDS: Final = ("import", "print", "save", "within")
_NAMES_ELSEWHERE: Final = ("expect", "filter")


def grammar() -> dict[str, Any]:
    """Return the grammar, from the regular expressions of the lexer."""
    words = [each for each in KEYWORDS if each not in (*_CONSTANTS, *_COMMANDS, *_NAMES_ELSEWHERE)]
    return {
        "information_for_contributors": "Made by `make generate`; do not edit.",
        "name": "ImgQL",
        "scopeName": "source.imgql",
        "fileTypes": ["imgql"],
        "patterns": [
            {"name": "comment.line.double-slash.imgql", "match": "//.*$"},
            {
                "name": "string.quoted.double.imgql",
                "match": STRING,
                "captures": {
                    "0": {
                        "patterns": [
                            {"name": "constant.character.escape.imgql", "match": r'\\["\\]'},
                            {"name": "variable.parameter.imgql", "match": rf"\${WORD}"},
                        ]
                    }
                },
            },
            {
                "match": rf"\b(let|load)\s+({WORD})",
                "captures": {
                    "1": {"name": "keyword.control.imgql"},
                    "2": {"name": "entity.name.function.imgql"},
                },
            },
            {
                "match": rf"\b(for|filter)\s+({WORD})\s+(in)\b",
                "captures": {
                    "1": {"name": "keyword.control.imgql"},
                    "2": {"name": "variable.other.imgql"},
                    "3": {"name": "keyword.control.imgql"},
                },
            },
            {"name": "keyword.control.imgql", "match": _any(words)},
            {"name": "keyword.other.imgql", "match": _any(_COMMANDS)},
            {"name": "keyword.other.imgql", "match": r"\bexpect(?=\s*\")"},
            {"name": "constant.language.imgql", "match": _any(_CONSTANTS)},
            {"name": "variable.parameter.imgql", "match": rf"\${WORD}"},
            {
                "match": rf"({WORD}(?:\.{WORD})*)\s*(?=\()",
                "captures": {"1": {"name": "entity.name.function.call.imgql"}},
            },
            {"name": "constant.numeric.imgql", "match": rf"(?<!\w){NUMBER}"},
            {"name": "keyword.operator.imgql", "match": OPERATOR},
            {"name": "variable.other.imgql", "match": WORD},
        ],
    }


def _any(words: tuple[str, ...] | list[str]) -> str:
    return rf"\b(?:{'|'.join(words)})\b"
