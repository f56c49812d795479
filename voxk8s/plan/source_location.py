"""Where in a program an operation comes from, for messages."""

from __future__ import annotations

import msgspec

MAX_CALLS = 3
"""Most calls in a message: the innermost ones help most."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """A call of a function by its name; `at` is the location of the call."""

    function: str
    at: str


class SourceLocation(msgspec.Struct, frozen=True, gc=False):
    """A location in a program; line and column count from 1.

    `calls` are the calls that led there, the innermost first, at most `MAX_CALLS` + 1.
    """

    file: str
    line: int
    column: int
    calls: tuple[Call, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def call_chain(self) -> str:
        """The calls that led here, as text; empty outside of functions."""
        words = [f"in {each.function}, called at {each.at}" for each in self.calls[:MAX_CALLS]]
        if len(self.calls) > MAX_CALLS:
            words.append("…")
        return f" ({', '.join(words)})" if words else ""
