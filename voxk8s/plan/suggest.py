"""Suggestions for error messages: the nearest known name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from heapq import nlargest
from itertools import takewhile
from typing import Final

_LONGEST_COMPARED: Final = 80
_MAX_WORK: Final = 200_000
"""Bound on the squared lengths of the names that are compared: some hundredths of a second."""


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that is most similar to `word`, or None.

    Comparing takes time quadratic in the length, so of many long names only those are compared that
    have the longest prefix and suffix in common with the word. Very long words and words of one
    letter are not compared: they are hardly typing errors.
    """
    near = [name for name in known if abs(len(name) - len(word)) <= 2 + len(word) // 3]
    folded = {name.lower(): name for name in reversed(near)}
    if word.lower() in folded:
        return folded[word.lower()]
    if not 1 < len(word) <= _LONGEST_COMPARED:
        return None
    limit = _MAX_WORK // len(word) ** 2
    if len(near) > limit:
        near = nlargest(limit, near, key=lambda name: _common_ends(word, name))
    matches = get_close_matches(word, near, n=1, cutoff=cutoff)
    return matches[0] if matches else None


def _common_ends(one: str, other: str) -> int:
    """Return the length of the common prefix plus that of the common suffix."""

    def same(pairs: Iterable[tuple[str, str]]) -> int:
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return same(zip(one, other, strict=False)) + same(zip(one[::-1], other[::-1], strict=False))


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean '…'?`, or an empty string when no name is similar."""
    match = nearest(word, known)
    return f"; did you mean {match!r}?" if match else ""


def nearest_kernel(name: str, qualified: Sequence[str]) -> str:
    """Return a suggestion for a kernel's name, with or without its namespace."""
    homes = [each.rpartition(".")[0] for each in qualified if each.rpartition(".")[2] == name]
    if homes:
        full = f"{homes[0]}.{name}"
        return f"; it is in the namespace {homes[0]!r}: import that, or write {full!r}"
    if "." in name:
        return suggest(name, qualified)
    bare: dict[str, str] = {}
    for each in qualified:
        bare.setdefault(each.rpartition(".")[2], each)
    near = nearest(name, bare)
    return f"; did you mean {near!r} ({bare[near]})?" if near else ""


def is_encodable(text: str) -> bool:
    """Whether a text can be encoded: lone surrogates cannot."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def clip(text: str, length: int = 80) -> str:
    """Return a piece of a document quoted for a one-line message, truncated when it is long."""
    shown = repr(text) if is_encodable(text) else ascii(text)
    return shown if len(shown) <= length else shown[: length - 1] + "…" + shown[0]
