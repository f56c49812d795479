"""Lowers literals, sequences, indices and slices."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Final

from voxk8s.imgql.lower.calls import CallLowering, LoweringAborted
from voxk8s.imgql.lower.forms import LowerChain
from voxk8s.imgql.lower.ir import Constant
from voxk8s.imgql.lower.scopes import Scope
from voxk8s.imgql.syntax.syntax_tree import Bracket, Chain, Slice, Token, string_value
from voxk8s.imgql.trampoline import Trampolined

LITERALS: Final = ("NUMBER", "STRING", "TRUE", "FALSE")


class Operands:
    """Adds the instructions of operands; expressions inside of them are lowered by `chain`."""

    def __init__(self, chain: LowerChain, calls: CallLowering) -> None:
        self._chain = chain
        self._calls = calls

    def chains(self, scope: Scope, chains: Sequence[Chain]) -> Trampolined[tuple[int, ...]]:
        """Lower expressions from the left."""
        values = []
        for each in chains:
            index = yield self._chain(scope, each)
            values.append(index)
        return tuple(values)

    def literal(self, scope: Scope, token: Token) -> int:
        """Lower a number, string or truth value."""
        if token.type == "STRING":
            return scope.add(Constant(string_value(token), token.start, token.end))
        if token.type != "NUMBER":
            return scope.add(Constant(token.type == "TRUE", token.start, token.end))
        value = float(token.text)
        if not isfinite(value):
            self._calls.error(scope.function, token, "this number is too large")
            value = 0.0
        return scope.add(Constant(value, token.start, token.end))

    def sequence(self, scope: Scope, item: Bracket) -> Trampolined[int]:
        """Lower `[a, b]`."""
        values = yield self.chains(scope, item.items)
        return self._calls.kernel(scope, "default.sequence", values, item)

    def index(self, scope: Scope, value: int, item: Bracket) -> Trampolined[int]:
        """Lower `xs[i]`; `value` is the sequence."""
        if len(item.items) != 1:
            message = "expected one index in these brackets"
            self._calls.error(scope.function, item, message)
            raise LoweringAborted
        position = yield self._chain(scope, item.items[0])
        return self._calls.kernel(scope, "default.index", (value, position), item)

    def slice(self, scope: Scope, value: int, item: Slice) -> Trampolined[int]:
        """Lower `xs[a:b]`; `value` is the sequence."""
        first: int
        if item.first is None:
            first = scope.add(Constant(0.0, item.start, item.end))
        else:
            first = yield self._chain(scope, item.first)
        if item.last is None:
            self._calls.error(
                scope.function,
                item,
                "a slice needs its end",
                "write `xs[a:b]`; b is left out of it",
            )
            raise LoweringAborted
        last = yield self._chain(scope, item.last)
        one, other = (scope.function.instructions[each] for each in (first, last))
        if (
            isinstance(one, Constant)
            and isinstance(other, Constant)
            and isinstance(one.value, float)
            and isinstance(other.value, float)
        ):
            count = scope.add(Constant(other.value - one.value, item.start, item.end))
        else:
            count = self._calls.kernel(scope, "default.subtraction", (last, first), item)
        return self._calls.kernel(scope, "default.subsequence", (value, first, count), item)
