"""Suggestions for error messages: the nearest known name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

_MOST = 5_000
"""Names compared at most: comparing is slow, and one suggestion is not worth a second."""
_LENGTH = 80
"""Longer names are no typing slips, and comparing them is quadratic."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Give `; did you mean '…'?`, or nothing when no name is near."""
    if len(word) > _LENGTH:
        return ""
    near = (name for name in known if abs(len(name) - len(word)) <= 2 + len(word) // 3)
    matches = get_close_matches(word, list(islice(near, _MOST)), n=1, cutoff=0.6)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def nearest_kernel(name: str, qualified: Sequence[str]) -> str:
    """Suggest a kernel for a name that plans may write with or without its namespace."""
    homes = [each.rpartition(".")[0] for each in qualified if each.rpartition(".")[2] == name]
    if homes:
        full = f"{homes[0]}.{name}"
        return f"; it is in the namespace {homes[0]!r}: import that, or write {full!r}"
    if "." in name:
        return nearest(name, qualified)
    bare: dict[str, str] = {}
    for each in qualified:
        bare.setdefault(each.rpartition(".")[2], each)
    hint = nearest(name, bare)
    if not hint:
        return ""
    near = hint.split("'")[1]
    return f"; did you mean {near!r} ({bare[near]})?"


def clip(text: str, length: int = 80) -> str:
    """Quote a piece of a document for a one-line message, cut when it is long."""
    shown = ascii(text) if any("\ud800" <= sign <= "\udfff" for sign in text) else repr(text)
    return shown if len(shown) <= length else shown[: length - 1] + "…" + shown[0]
