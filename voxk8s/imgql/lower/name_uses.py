"""Where a program declares and uses its names: what editors ask for."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from voxk8s.imgql.lower.global_scope import Definition
from voxk8s.imgql.lower.scopes import Scope
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Token

Kind: TypeAlias = Literal["function", "value", "variable", "kernel"]


class NamePlace(msgspec.Struct, frozen=True, order=True):
    """A name in a file; `line` and `column` count from 1, `length` is in characters.

    `library` if the file is one of this package.
    """

    file: str
    line: int
    column: int
    length: int
    library: bool = False


class NameUse(msgspec.Struct, frozen=True):
    """A place where a name is declared or used.

    `declared` is where it is declared; that of a kernel is not in a program. `kernel` is its
    qualified name. Variables are parameters, and what loops and inner definitions bind.
    """

    name: str
    place: NamePlace
    kind: Kind
    declared: NamePlace | None = None
    kernel: str = ""


class NameUses:
    """Collects the names of a program, those in libraries of this package excepted.

    Without `wanted` it does nothing: compilers need none of it.
    """

    def __init__(self, *, wanted: bool = False) -> None:
        self.wanted = wanted
        self._found: dict[tuple[str, int], NameUse] = {}

    def declare(self, source: Source, token: Token, kind: Kind = "variable") -> None:
        """Add the declaration of a name."""
        if self.wanted and not source.library:
            place = _place(source, token.start, token.end)
            self._found[source.name, token.start] = NameUse(token.text, place, kind, place)

    def add(self, scope: Scope, token: Token, definition: Definition | None) -> None:
        """Add the use of a name; `definition` is None for a value of the scope.

        What is found last for a token counts: an operator is looked up again for fewer operands.
        """
        source = scope.function.source
        if not self.wanted or source.library:
            return
        place = _place(source, token.start, token.end)
        signature = definition.signature if definition is not None else None
        local = scope.declared(token.text)
        if signature is not None:
            use = NameUse(token.text, place, "kernel", kernel=signature.qualified)
        elif local is not None:
            declared = _place(source, local.start, local.end)
            use = NameUse(token.text, place, "variable", declared)
        elif definition is not None and definition.function is not None:
            function = definition.function
            declared = _place(function.source, function.start, function.end)
            kind: Kind = "function" if definition.maximum else "value"
            use = NameUse(token.text, place, kind, declared)
        else:
            return
        self._found[source.name, token.start] = use

    def all(self) -> tuple[NameUse, ...]:
        """Return everything that was added, by place."""
        return tuple(sorted(self._found.values(), key=lambda each: each.place))


def _place(source: Source, start: int, end: int) -> NamePlace:
    line, column = source.position(start)
    return NamePlace(source.name, line, column, end - start, source.library)
