"""The text of a program: replaces parameters and maps offsets back to what the user wrote."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Final, NamedTuple

from voxk8s.errors import InvalidProgram
from voxk8s.imgql.syntax.prefix_table import PrefixTable
from voxk8s.imgql.syntax.syntax_tree import Token

_REPLACEABLE = re.compile(r'"(?:\\.|[^"\\\n])*+"?|//[^\n]*|\$[^\W\d]\w*')
"""A string that has no end is one up to the end of its line."""
_REFERENCE = re.compile(r"\$[^\W\d]\w*")


MAX_CHARACTERS: Final = 16 * 1024 * 1024
"""Most characters of a program with parameters replaced: a long value may stand many times."""


class _Substitution(NamedTuple):
    """The value at `start` to `stop` of the code, and the place of its reference in the text."""

    start: int
    stop: int
    original: int
    original_stop: int


class Source:
    """One file of a program.

    `text` is what the user wrote; `code` is what is parsed, with parameters replaced. Offsets in
    syntax trees are those of `code`; `position` maps them to lines and columns of `text`. `missing`
    are the references without a value, such as `$NAME`, which remain in `code`.
    """

    def __init__(
        self,
        name: str,
        text: str,
        parameters: Mapping[str, str] | None = None,
        *,
        library: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`variables` are replaced too, as a string where they do not stand in one."""
        self.name = name
        self.text = text.removeprefix("\ufeff")
        self.library = library
        self.missing: list[Token] = []
        self._substitutions: list[_Substitution] = []
        self._lines: list[int] | None = None
        self._shown: dict[int, str] = {}
        if parameters is None or "$" not in self.text:
            self.code = self.text
        else:
            self.code = self._replace(parameters, variables or {})

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 1, of an offset in `code`."""
        original = self.text_offset(offset)
        if self._lines is None:
            self._lines = [0, *(match.end() for match in re.finditer("\n", self.text))]
        line = bisect_right(self._lines, original)
        return line, original - self._lines[line - 1] + 1

    def text_offset(self, offset: int) -> int:
        """Return the offset in `text` of an offset in `code`; in a value, that of its reference."""
        if not self._substitutions:
            return min(offset, len(self.text))
        index = (
            bisect_right(self._substitutions, offset, key=lambda substitution: substitution.start)
            - 1
        )
        if index < 0:
            return offset
        substitution = self._substitutions[index]
        if offset < substitution.stop:
            return substitution.original
        return min(substitution.original_stop + offset - substitution.stop, len(self.text))

    def line(self, number: int) -> str:
        """Return a line of `text` without its line break.

        It is the same string each time: one long line may have thousands of errors.
        """
        if self._lines is None:
            self.position(0)
        lines = self._lines or [0]
        if number not in self._shown and 1 <= number <= len(lines):
            end = lines[number] - 1 if number < len(lines) else len(self.text)
            self._shown[number] = self.text[lines[number - 1] : end].rstrip("\r")
        return self._shown.get(number, "")

    def _replace(self, parameters: Mapping[str, str], variables: Mapping[str, str]) -> str:
        pieces: list[str] = []
        length = copied = 0
        table = PrefixTable(parameters)
        for match in _REPLACEABLE.finditer(self.text):
            part = match.group()
            if part.startswith("//") or "$" not in part:
                continue
            quoted = part.startswith('"')
            for reference in _REFERENCE.finditer(self.text, match.start(), match.end()):
                letters = reference.group()[1:]
                name = table.longest(letters)
                start = reference.start()
                variable = variables.get(letters) if name is None else None
                if name is None and variable is None:
                    self.missing.append(Token("NAME", reference[0], length + start - copied))
                    continue
                value = str(parameters[name]) if name is not None else variable or ""
                if quoted or variable is not None:
                    # The value must not end the string that it is in.
                    value = value.replace("\\", "\\\\").replace('"', '\\"')
                if variable is not None and not quoted:
                    value = f'"{value}"'
                name = name or letters
                pieces += [self.text[copied:start], value]
                length += start - copied
                copied = start + 1 + len(name)
                self._substitutions.append(
                    _Substitution(length, length + len(value), start, copied)
                )
                length += len(value)
                if length > MAX_CHARACTERS:
                    line, column = self.position(length)
                    raise InvalidProgram(
                        f"{self.name}:{line}:{column}: error: with the values of its parameters the"
                        f" program has more than {MAX_CHARACTERS} characters; shorten the value of"
                        f" ${name}, or use it less often"
                    )
        pieces.append(self.text[copied:])
        return "".join(pieces)
