"""A program's text: parameters replaced, positions kept."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

_PIECES = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|\$[^\W\d]\w*')
_REFERENCE = re.compile(r"\$[^\W\d]\w*")


class MissingParameter(NamedTuple):
    """A `$NAME` that nobody gave a value for, and its place in the text."""

    name: str
    start: int
    stop: int


class _Shift(NamedTuple):
    """A value from `start` to `stop` of the code, for a reference of the text."""

    start: int
    stop: int
    original: int
    original_stop: int


class Source:
    """One text of a program.

    `text` is what the user wrote; `code` is what is parsed, with parameters replaced. Offsets in
    syntax trees are those of `code`; `position` leads back to what the user wrote. `missing` are
    the references without a value, which stay as they are in `code`.
    """

    def __init__(
        self,
        name: str,
        text: str,
        parameters: Mapping[str, str] | None = None,
        *,
        library: bool = False,
    ) -> None:
        self.name = name
        self.text = text.removeprefix("\ufeff")
        self.library = library
        self.missing: list[MissingParameter] = []
        self._shifts: list[_Shift] = []
        self._lines: list[int] | None = None
        self._shown: dict[int, str] = {}
        if parameters is None or "$" not in self.text:
            self.code = self.text
        else:
            self.code = self._replace(parameters)

    def position(self, offset: int) -> tuple[int, int]:
        """Give line and column, from 1, of an offset in `code`."""
        original = self.original(offset)
        if self._lines is None:
            self._lines = [0, *(match.end() for match in re.finditer("\n", self.text))]
        line = bisect_right(self._lines, original)
        return line, original - self._lines[line - 1] + 1

    def original(self, offset: int) -> int:
        """Give the offset in `text` of an offset in `code`; inside a value, its reference's."""
        if not self._shifts:
            return min(offset, len(self.text))
        index = bisect_right(self._shifts, offset, key=lambda shift: shift.start) - 1
        if index < 0:
            return offset
        shift = self._shifts[index]
        if offset < shift.stop:
            return shift.original
        return min(shift.original_stop + offset - shift.stop, len(self.text))

    def expanded(self, original: int) -> int:
        """Give the offset in `code` of an offset in `text` that is not inside a reference."""
        index = bisect_right(self._shifts, original, key=lambda shift: shift.original_stop) - 1
        if index < 0:
            return original
        return self._shifts[index].stop + original - self._shifts[index].original_stop

    def line(self, number: int) -> str:
        """Give a line of the user's text, without its end.

        It is the same string each time: thousands of findings may stand in one long line.
        """
        if self._lines is None:
            self.position(0)
        lines = self._lines or [0]
        if number not in self._shown and 1 <= number <= len(lines):
            end = lines[number] - 1 if number < len(lines) else len(self.text)
            self._shown[number] = self.text[lines[number - 1] : end].rstrip("\r")
        return self._shown.get(number, "")

    def _replace(self, parameters: Mapping[str, str]) -> str:
        pieces: list[str] = []
        length = copied = 0
        for match in _PIECES.finditer(self.text):
            piece = match.group()
            if piece.startswith("//") or "$" not in piece:
                continue
            quoted = piece.startswith('"')
            for reference in _REFERENCE.finditer(self.text, match.start(), match.end()):
                word = reference.group()[1:]
                name = longest_parameter(word, parameters)
                start = reference.start()
                if name is None:
                    self.missing.append(MissingParameter(word, start, reference.end()))
                    continue
                value = str(parameters[name])
                if quoted:
                    # Inside a string a value is characters, whatever they are.
                    value = value.replace("\\", "\\\\").replace('"', '\\"')
                pieces += [self.text[copied:start], value]
                length += start - copied
                copied = start + 1 + len(name)
                self._shifts.append(_Shift(length, length + len(value), start, copied))
                length += len(value)
        pieces.append(self.text[copied:])
        return "".join(pieces)


def longest_parameter(word: str, parameters: Mapping[str, str]) -> str | None:
    """Give the parameter that `$word` asks for: the longest one that the word begins with."""
    return next((word[:end] for end in range(len(word), 0, -1) if word[:end] in parameters), None)
