"""Which name was meant: the nearest of those that are known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from heapq import nlargest
from itertools import takewhile
from typing import Final

_LONGEST_COMPARED: Final = 80
_MOST_WORK: Final = 200_000
"""Squares of lengths of all names that one word is compared with: some hundredths of a second."""


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Give the known name that looks most like `word`, if one does.

    Comparing takes time by the square of the length, so of many long names only those are compared
    that begin and end like the word. Very long ones are no slips of the pen, nor are other letters
    for a name of one letter.
    """
    near = [name for name in known if abs(len(name) - len(word)) <= 2 + len(word) // 3]
    folded = {name.lower(): name for name in reversed(near)}
    if word.lower() in folded:
        return folded[word.lower()]
    if not 1 < len(word) <= _LONGEST_COMPARED:
        return None
    most = _MOST_WORK // len(word) ** 2
    if len(near) > most:
        near = nlargest(most, near, key=lambda name: _common_ends(word, name))
    matches = get_close_matches(word, near, n=1, cutoff=cutoff)
    return matches[0] if matches else None


def _common_ends(one: str, other: str) -> int:
    """Count the characters that two names have in common from both ends."""

    def same(pairs: Iterable[tuple[str, str]]) -> int:
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return same(zip(one, other, strict=False)) + same(zip(one[::-1], other[::-1], strict=False))
