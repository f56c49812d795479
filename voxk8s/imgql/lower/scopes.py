"""The names inside a function: parameters, loop variables and local definitions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

import msgspec

from voxk8s.imgql.lower.ir import Function, Instruction, Parameter
from voxk8s.imgql.syntax.syntax_tree import Token

T = TypeVar("T")


class Local(msgspec.Struct, frozen=True):
    """A local function of `arity` parameters; `captured` are indices of values of its scope."""

    function: Function
    arity: int
    captured: tuple[int, ...]


Binding: TypeAlias = int | Local
"""The index of a value, or a local function."""


class Scope:
    """The names that are visible in a function's body while it is lowered.

    `order` is the number of the definition that the body belongs to. A value of an enclosing body
    becomes a further parameter; `captured` are the indices of these values in the enclosing body.
    """

    def __init__(
        self, function: Function, order: int, parameters: tuple[Token, ...], parent: Scope | None
    ) -> None:
        self.function = function
        self.order = order
        self.captured: list[int] = []
        self._parent = parent
        self._bound: dict[str, Binding] = {}
        self._parameters = parameters
        self._declared: dict[str, Token] = {}
        self._inherited: dict[int, int] = {}
        for index, token in enumerate(parameters):
            self._bound[token.text] = self.add(Parameter(index, token.start, token.end))

    def add(self, instruction: Instruction) -> int:
        """Append an instruction and return its index."""
        return self.function.add(instruction)

    def make_optional(self, start: int, form: str) -> None:
        """Mark the instructions from `start` on as those that `form` may not carry out."""
        stop = len(self.function.instructions)
        self.function.optional = (*self.function.optional, (start, stop, form))

    @contextmanager
    def bound(self, token: Token, binding: Binding) -> Iterator[None]:
        """Bind a name to a local definition inside a `with` block, where it hides an outer one."""
        name = token.text
        before = self._bound.get(name)
        declared = self._declared.get(name)
        self._bound[name] = binding
        self._declared[name] = token
        try:
            yield
        finally:
            _restore(self._bound, name, before)
            _restore(self._declared, name, declared)

    def find(self, name: str) -> Binding | None:
        """Return what a name is bound to here or in an enclosing body, None if it is not."""
        inner: list[Scope] = []
        scope: Scope | None = self
        while scope is not None and name not in scope._bound:
            inner.append(scope)
            scope = scope._parent
        if scope is None:
            return None
        binding = scope._bound[name]
        for each in reversed(inner):
            if isinstance(binding, int):
                binding = each._capture(binding)
            else:
                captured = tuple(each._capture(index) for index in binding.captured)
                binding = Local(binding.function, binding.arity, captured)
        return binding

    def declared(self, name: str) -> Token | None:
        """Return the token that declares a name here or in an enclosing body."""
        scope: Scope | None = self
        while scope is not None:
            found = scope._declared.get(name)
            if found is not None:
                return found
            if name in scope._bound:
                return next(each for each in scope._parameters if each.text == name)
            scope = scope._parent
        return None

    def _capture(self, outer: int) -> int:
        if outer not in self._inherited:
            index = self.function.parameters
            self.function.parameters += 1
            self.captured.append(outer)
            function = self.function
            self._inherited[outer] = self.add(Parameter(index, function.start, function.end))
        return self._inherited[outer]

    def names(self) -> Iterator[str]:
        """Yield every name that is bound here or in an enclosing body."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope._bound
            scope = scope._parent


def _restore(values: dict[str, T], name: str, before: T | None) -> None:
    """Give a name the value that it had before; None if it had none."""
    if before is None:
        del values[name]
    else:
        values[name] = before
