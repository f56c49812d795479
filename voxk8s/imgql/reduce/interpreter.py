"""Evaluates a program's functions over an abstract domain: types, or nodes of a plan.

Lazily: instructions that the result does not depend on are not evaluated. Memoized: a function is
evaluated once for each set of the arguments that it uses. Without Python's call stack: calls may be
nested to any depth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from voxk8s.imgql.lower.ir import Apply, Call, Constant, Fold, Function, Map, Parameter, Write
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.trampoline import Trampolined, run

V = TypeVar("V")


class CallSite(NamedTuple):
    """A place in the program's own text; `caller` is the call of `function` that led to it.

    `library` is the function of a library that the program calls here, if one is being evaluated.
    """

    source: Source
    start: int
    end: int
    caller: CallSite | None = None
    function: str = ""
    library: str = ""

    @property
    def at(self) -> str:
        """File, line and column."""
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"


class Domain(Protocol[V]):
    """The values of an evaluation and the effect of operations on them."""

    def constant(self, instruction: Constant) -> V:
        """Return the value of a constant."""

    def unknown(self) -> V:
        """Return the value that an error left unknown."""

    def apply(self, instruction: Apply, arguments: Sequence[V], call_site: CallSite) -> V:
        """Apply a kernel."""

    def item(self, sequence: V, captured: Sequence[V], call_site: CallSite) -> V:
        """Return the value that represents a loop's item."""

    def output(self, kind: str, result: V, name: V, call_site: CallSite) -> V:
        """Note a goal inside of an expression, and return its value, which is its name."""

    def each(
        self, sequence: V, call: Callable[[V], Trampolined[V]], call_site: CallSite
    ) -> Trampolined[V]:
        """Return the value of a loop that writes files; `call` applies the body to an item."""

    def loop(self, loop: Loop[V], body: V, call_site: CallSite) -> V:
        """Return the value of a loop whose body has the value `body`."""

    def fold(
        self,
        initial: V,
        sequence: V,
        captured: Sequence[V],
        call: Callable[[V, V], Trampolined[V]],
        call_site: CallSite,
    ) -> Trampolined[V]:
        """Fold a sequence; `call` applies the function, with its captures, to two values."""


class Loop(NamedTuple, Generic[V]):
    """A loop over `sequence`; `arguments` are those of `function`, the item first."""

    function: Function
    sequence: V
    item: V
    arguments: tuple[V, ...]


_Key: TypeAlias = tuple[Function | V, ...]
"""A function and the arguments that it uses."""


class Interpreter(Generic[V]):
    """Evaluates functions and memoizes their results."""

    def __init__(self, domain: Domain[V]) -> None:
        self._domain = domain
        self._known: dict[_Key[V], V] = {}

    def value(self, function: Function, arguments: Sequence[V] = ()) -> V:
        """Return the result of a function for all its arguments."""
        call_site = CallSite(function.source, function.start, function.end)
        return run(self.call(function, arguments, call_site))

    def call(
        self, function: Function, arguments: Sequence[V], call_site: CallSite
    ) -> Trampolined[V]:
        """Call a function with all its arguments from `call_site`."""
        key: _Key[V] = (function, *[arguments[index] for index in function.used])
        if key not in self._known:
            self._known[key] = yield self._run(function, arguments, call_site)
        return self._known[key]

    def _run(self, function: Function, arguments: Sequence[V], caller: CallSite) -> Trampolined[V]:
        domain = self._domain
        source = function.source
        instructions = function.instructions
        known = self._known
        values: dict[int, V] = {}
        if source.library and not caller.library:
            caller = caller._replace(library=function.name)
        for index in function.live:
            instruction = instructions[index]
            instruction_type = type(instruction)
            if instruction_type is Parameter:
                values[index] = arguments[instruction.index]  # type: ignore[union-attr] # by `instruction_type`
                continue
            if instruction_type is Constant:
                values[index] = domain.constant(instruction)  # type: ignore[arg-type] # by `instruction_type`
                continue
            if instruction_type is Call:
                callee, given = instruction.function, instruction.arguments  # type: ignore[union-attr] # by `instruction_type`
                key: _Key[V] = (callee, *[values[given[each]] for each in callee.used])
                if key in known:
                    values[index] = known[key]
                    continue
            call_site = (
                caller
                if source.library
                else CallSite(
                    source,
                    instruction.start,
                    instruction.end,
                    caller if function.parameters else None,
                    function.name,
                )
            )
            value: V
            if instruction_type is Apply:
                given = instruction.arguments  # type: ignore[union-attr] # by `instruction_type`
                value = domain.apply(instruction, [values[each] for each in given], call_site)  # type: ignore[arg-type] # by `instruction_type`
            elif instruction_type is Call:
                value = known[key] = yield self._run(
                    callee, _used_values(values, given, callee.used), call_site
                )
            elif isinstance(instruction, Map):
                value = yield self._map(instruction, values, call_site)
            elif isinstance(instruction, Fold):
                value = yield self._fold(instruction, values, call_site)
            elif isinstance(instruction, Write):
                result, name = values[instruction.result], values[instruction.name]
                value = domain.output(instruction.kind, result, name, call_site)
            else:
                value = domain.unknown()
            values[index] = value
        return values[function.result]

    def _map(self, instruction: Map, values: dict[int, V], call_site: CallSite) -> Trampolined[V]:
        function = instruction.function
        sequence = values[instruction.sequence]
        used = [index - 1 for index in function.used if index]
        captured = _used_values(values, instruction.captured, used)
        if function.writes:

            def call(item: V) -> Trampolined[V]:
                return self.call(function, (item, *captured), call_site)

            value: V = yield self._domain.each(sequence, call, call_site)
            return value
        item = self._domain.item(sequence, [captured[index] for index in used], call_site)
        arguments = (item, *captured)
        body = yield self.call(function, arguments, call_site)
        return self._domain.loop(Loop(function, sequence, item, arguments), body, call_site)

    def _fold(self, instruction: Fold, values: dict[int, V], call_site: CallSite) -> Trampolined[V]:
        function = instruction.function
        used = [index - 2 for index in function.used if index > 1]
        captured = _used_values(values, instruction.captured, used)

        def call(left: V, right: V) -> Trampolined[V]:
            return self.call(function, (left, right, *captured), call_site)

        value: V = yield self._domain.fold(
            values[instruction.initial],
            values[instruction.sequence],
            [captured[index] for index in used],
            call,
            call_site,
        )
        return value


def _used_values(values: dict[int, V], places: Sequence[int], used: Sequence[int]) -> list[V]:
    """Return the values at the indices that are used, None for the others."""
    arguments: list[V] = [None] * len(places)  # type: ignore[list-item] # unused ones are never read
    for each in used:
        arguments[each] = values[places[each]]
    return arguments
