"""The syntax tree: what a program says, before names are resolved.

An expression is a `Chain`: operands and operators in the order of the text. Whether an operator is
prefix or infix depends on its definition, so it is decided when names are resolved. Offsets count
characters of `Source.code`. Forms store their ends: they may be nested deeper than Python's stack,
so that an end cannot be computed by recursion. Trees have no cycles, so garbage collection is
disabled for them, which saves a third of the time of a large program.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec


class Token(msgspec.Struct, frozen=True, gc=False):
    """A token; `tight` if nothing is between it and the token before."""

    type: str
    text: str
    start: int
    tight: bool = False

    @property
    def end(self) -> int:
        """Offset after the last character."""
        return self.start + len(self.text)


class Chain(msgspec.Struct, frozen=True, gc=False):
    """Operands and operators, at least one."""

    items: tuple[Item, ...]

    @property
    def start(self) -> int:
        """Offset of the first character."""
        return self.items[0].start

    @property
    def end(self) -> int:
        """Offset after the last character."""
        return self.items[-1].end


class Group(msgspec.Struct, frozen=True, gc=False):
    """Parentheses: one expression, or the arguments of a call."""

    items: tuple[Chain, ...]
    start: int
    end: int
    tight: bool = False


class Bracket(msgspec.Struct, frozen=True, gc=False):
    """Square brackets: an index, or the items of a sequence."""

    items: tuple[Chain, ...]
    start: int
    end: int
    tight: bool = False


class Slice(msgspec.Struct, frozen=True, gc=False):
    """`[first:last]`; either end may be missing."""

    first: Chain | None
    last: Chain | None
    start: int
    end: int
    tight: bool = False


class For(msgspec.Struct, frozen=True, gc=False):
    """`for variable in sequence do body`."""

    variable: Token
    sequence: Chain
    body: Chain
    start: int
    end: int


class Filter(msgspec.Struct, frozen=True, gc=False):
    """`filter variable in sequence do body`."""

    variable: Token
    sequence: Chain
    body: Chain
    start: int
    end: int


class If(msgspec.Struct, frozen=True, gc=False):
    """`if condition then first else second`."""

    condition: Chain
    first: Chain
    second: Chain
    start: int
    end: int


class Let(msgspec.Struct, frozen=True, gc=False):
    """`let header = value in body`."""

    header: Header
    value: Chain
    body: Chain
    start: int
    end: int


class Fold(msgspec.Struct, frozen=True, gc=False):
    """`fold OP init xs`: `items` are the operator, the items of init if given, and the sequence."""

    items: tuple[Item, ...]
    start: int
    end: int


Item: TypeAlias = Token | Group | Bracket | Slice | For | Filter | If | Let | Fold


class Header(msgspec.Struct, frozen=True, gc=False):
    """The name that a definition defines; `parameters` is None for a value."""

    name: Token
    parameters: tuple[Token, ...] | None


class Define(msgspec.Struct, frozen=True, gc=False):
    """`let name = value` or `let f(a, b) = value`, with or without `let`."""

    header: Header
    value: Chain
    start: int


class OutputCommand(msgspec.Struct, frozen=True, gc=False):
    """`print "label" value` or `save "file" value`."""

    kind: Literal["print", "save"]
    label: Token
    value: Chain
    start: int


class Expect(msgspec.Struct, frozen=True, gc=False):
    """`expect "label" value within tolerance`; `value` is a literal, perhaps after a minus."""

    label: Token
    value: tuple[Token, ...]
    within: Token | None
    start: int


class Import(msgspec.Struct, frozen=True, gc=False):
    """`import "namespace"` or `import "file.imgql"`."""

    target: Token
    start: int


Command: TypeAlias = Define | OutputCommand | Import | Expect


def string_value(token: Token) -> str:
    r"""Return the characters of a string token; `\"` is a quote and `\\` a backslash."""
    text = token.text[1:-1]
    if "\\" not in text:
        return text
    return text.replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")
