"""Finds the longest of many words that a text begins with, in time that does not grow with them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class PrefixTable:
    """A set of words."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(set(words))
        self._longest_prefixes: list[int] = []
        """For each word the index of the longest other word that it begins with, or -1."""
        nested: list[int] = []
        for index, word in enumerate(self._words):
            while nested and not word.startswith(self._words[nested[-1]]):
                nested.pop()
            self._longest_prefixes.append(nested[-1] if nested else -1)
            nested.append(index)

    def longest(self, text: str) -> str | None:
        """Return the longest word that `text` begins with, or None."""
        # Words between a prefix of the text and the text, in this order, begin with that prefix.
        index = bisect_right(self._words, text) - 1
        while index >= 0:
            word = self._words[index]
            if text.startswith(word):
                return word
            index = self._longest_prefixes[index]
        return None
