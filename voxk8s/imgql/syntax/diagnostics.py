"""Errors and warnings with their place in the program, the line, a mark below it and hints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, NoReturn, Protocol

import msgspec

from voxk8s.errors import InvalidProgram
from voxk8s.imgql.syntax.source_text import Source

_MAX_WIDTH = 100
MAX_SHOWN = 20
"""Errors shown in full; the rest is counted."""
_MAX_KEPT = 20_000
"""Errors and warnings of which more than the number is known: a megabyte of wrong characters has
millions."""


class Place(Protocol):
    """What an error is reported at, such as a token."""

    @property
    def start(self) -> int:
        """Offset of the first character in the code."""

    @property
    def end(self) -> int:
        """Offset after the last character."""


class Span(NamedTuple):
    """The characters from `start` to before `end`."""

    start: int
    end: int


class Diagnostic(msgspec.Struct, frozen=True):
    """One error or warning.

    `line` and `column` count from 1; `text` is the line of the program and `width` the number of
    characters to mark in it. `hints` say what to do.
    """

    severity: Literal["error", "warning"]
    file: str
    line: int
    column: int
    message: str
    text: str = ""
    width: int = 1
    hints: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message}"]
        if self.text.strip():
            shown, column = _window(self.text.replace("\t", " ").rstrip(), self.column)
            width = max(1, min(self.width, len(shown) - column + 1))
            lines += [f"  {shown}", "  " + " " * (column - 1) + "^" * width]
        lines += [f"  help: {hint}" for hint in self.hints]
        return "\n".join(lines)


def _window(line: str, column: int) -> tuple[str, int]:
    """Return a part of a long line around a column, and the column in that part."""
    if len(line) <= _MAX_WIDTH:
        return line, column
    start = max(0, min(column - 1 - _MAX_WIDTH // 2, len(line) - _MAX_WIDTH))
    before, after = "…" if start else "", "…" if start + _MAX_WIDTH < len(line) else ""
    return f"{before}{line[start : start + _MAX_WIDTH]}{after}", column - start + len(before)


class Diagnostics:
    """Collects errors and warnings, one error a place: further ones mostly follow from the first.

    `unreadable_names` are those of definitions with syntax errors; their use is not reported.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, str], Diagnostic] = {}
        self.errors = 0
        self.unreadable_names: set[str] = set()

    def error(self, source: Source, place: Place, message: str, *hints: str) -> None:
        """Add an error at a place in the code of a file."""
        self._add("error", source, place, message, hints)

    def warning(self, source: Source, place: Place, message: str, *hints: str) -> None:
        """Add a warning at a place in the code of a file."""
        self._add("warning", source, place, message, hints)

    def _add(
        self,
        severity: Literal["error", "warning"],
        source: Source,
        place: Place,
        message: str,
        hints: tuple[str, ...],
    ) -> None:
        if len(self._found) >= _MAX_KEPT:
            self.errors += severity == "error"
            return
        start = place.start
        key = (source.name, start, severity)
        if key in self._found:
            return
        line, column = source.position(start)
        last_line, last_column = source.position(max(start, place.end - 1))
        text = source.line(line)
        stop = last_column + 1 if last_line == line else len(text) + 1
        self.errors += severity == "error"
        self._found[key] = Diagnostic(
            severity,
            source.name,
            line,
            column,
            message,
            text,
            max(1, stop - column),
            tuple(hint for hint in hints if hint),
        )

    @property
    def is_crowded(self) -> bool:
        """Whether there are more errors than are shown: expensive suggestions may be left out."""
        return self.errors > MAX_SHOWN

    def warnings(self) -> tuple[Diagnostic, ...]:
        """Return the warnings, by file and line."""
        return tuple(each for each in self.all() if each.severity == "warning")

    def all(self) -> tuple[Diagnostic, ...]:
        """Return all errors and warnings, by file, line and column."""
        files = {key[0]: index for index, key in reversed(list(enumerate(self._found)))}
        return tuple(
            sorted(self._found.values(), key=lambda it: (files[it.file], it.line, it.column))
        )

    def raise_if_errors(self) -> None:
        """Raise InvalidProgram if there are errors."""
        if self.errors:
            self.raise_invalid()

    def raise_invalid(self) -> NoReturn:
        """Raise InvalidProgram with all errors, and with the warnings of their lines."""
        found = self.all()
        errors = tuple(each for each in found if each.severity == "error")
        lines = {(each.file, each.line) for each in errors}
        shown = [each for each in found if (each.file, each.line) in lines]
        raise InvalidProgram(format_diagnostics(shown), errors)


def format_diagnostics(diagnostics: Sequence[Diagnostic]) -> str:
    """Return diagnostics as text: up to the last error to be shown, then a count of the rest."""
    errors = [index for index, each in enumerate(diagnostics) if each.severity == "error"]
    shown = diagnostics if len(errors) <= MAX_SHOWN else diagnostics[: errors[MAX_SHOWN]]
    lines = [str(each) for each in shown]
    if len(errors) > MAX_SHOWN:
        more = "" if len(diagnostics) < _MAX_KEPT else "at least "
        lines.append(f"… and {more}{len(errors) - MAX_SHOWN} more errors")
    return "\n".join(lines)
