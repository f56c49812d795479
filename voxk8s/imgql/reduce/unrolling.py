"""Unrolls sequences whose items are known at compile time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from voxk8s.imgql import types
from voxk8s.imgql.lower.ir import Function
from voxk8s.imgql.reduce.interpreter import CallSite, Loop
from voxk8s.imgql.reduce.node_table import NodeTable
from voxk8s.imgql.trampoline import Trampolined
from voxk8s.plan import model, sequence_kernels
from voxk8s.plan.model import Operation, OperationId, Scalar
from voxk8s.plan.signature import Signature

MAX_UNROLLED: Final = 100_000
"""Greatest number of items of a range that is unrolled."""
_BROADCASTING: Final = types.ARITHMETIC - {"default.floor"}

CallFunction: TypeAlias = Callable[
    [Function, Sequence[OperationId], CallSite], Trampolined[OperationId]
]
"""Evaluates a function with all its arguments."""


class SequenceUnroller:
    """Finds the items of sequences of a node table.

    `loops` are the loops by their nodes. `spend` counts the operations that unrolling adds.
    `scalar` returns the value of the bounds of ranges and slices, None if it is not known.
    """

    def __init__(
        self,
        table: NodeTable,
        call: CallFunction,
        spend: Callable[[int, CallSite], None],
        scalar: Callable[[OperationId], Scalar | None],
        loops: dict[OperationId, Loop[OperationId]],
    ) -> None:
        self.loops = loops
        self._table = table
        self._call = call
        self._spend = spend
        self._scalar = scalar

    def items(
        self, sequence: OperationId, call_site: CallSite
    ) -> Trampolined[Sequence[OperationId] | None]:
        """Return the items of a sequence, None if they are only known at run time."""
        node = self._table.nodes[sequence]
        signature = self._table.signatures.get(sequence)
        if not isinstance(node, Operation) or signature is None:
            return None
        name, arguments = signature.qualified, node.arguments
        if name == "default.sequence":
            return arguments
        if name == "default.range":
            return self._range(arguments)
        if name == "default.map":
            mapped: Sequence[OperationId] | None = yield self._mapped(sequence, call_site)
            return mapped
        if name == "default.subsequence":
            whole = yield self.items(arguments[0], call_site)
            return self._part(whole, arguments[1:])
        if name == sequence_kernels.KEEP:
            whole = yield self.items(arguments[0], call_site)
            flags = yield self.items(arguments[1], call_site)
            return self._kept(whole, flags)
        if name in _BROADCASTING:
            combined: Sequence[OperationId] | None = yield self._broadcast(
                node, signature, call_site
            )
            return combined
        return None

    def has_loop(self, sequence: OperationId) -> bool:
        """Whether the items of a sequence are results of a loop."""
        node = self._table.nodes[sequence]
        while isinstance(node, Operation):
            name = self._table.signatures[node.id].qualified
            if name == "default.map":
                return True
            if name in _BROADCASTING:
                return any(map(self.has_loop, node.arguments))
            if name not in ("default.subsequence", sequence_kernels.KEEP):
                return False
            node = self._table.nodes[node.arguments[0]]
        return False

    def _mapped(
        self, name: OperationId, call_site: CallSite
    ) -> Trampolined[Sequence[OperationId] | None]:
        loop = self.loops.get(name)
        if loop is None:
            return None
        items = yield self.items(loop.sequence, call_site)
        if items is None:
            return None
        self._spend(len(items), call_site)
        results = []
        for item in items:
            arguments = (item, *loop.arguments[1:])
            results.append((yield self._call(loop.function, arguments, call_site)))
        return results

    def _broadcast(
        self, node: Operation, signature: Signature, call_site: CallSite
    ) -> Trampolined[Sequence[OperationId] | None]:
        """Return the items of an arithmetic operation on a sequence and one number."""
        left, right = node.arguments
        one_number = [self._table.types[each] == "number" for each in (left, right)]
        if sum(one_number) != 1:
            return None
        items = yield self.items(right if one_number[0] else left, call_site)
        if items is None:
            return None
        self._spend(len(items), call_site)
        operator = node.operator
        return [
            self._table.operation(
                operator, signature, (left, item) if one_number[0] else (item, right), call_site
            )
            for item in items
        ]

    def _range(self, arguments: Sequence[OperationId]) -> Sequence[OperationId] | None:
        bounds = [self._whole(each) for each in arguments]
        low, high = (0, *bounds)[-2:]
        if low is None or high is None or high - low > MAX_UNROLLED:
            return None
        # The items of `range` are integers; the numbers of programs are floats.
        return [self._table.constant(value) for value in range(low, high)]

    def _part(
        self, items: Sequence[OperationId] | None, arguments: Sequence[OperationId]
    ) -> Sequence[OperationId] | None:
        start = self._whole(arguments[0])
        if items is None or start is None:
            return None
        if len(arguments) == 1:
            return items[start:] if start >= 0 else None
        count = self._whole(arguments[1])
        if count is None:
            return None
        if start < 0 or count < 0 or start + count > len(items):
            return None
        return items[start : start + count]

    def _kept(
        self, items: Sequence[OperationId] | None, flags: Sequence[OperationId] | None
    ) -> Sequence[OperationId] | None:
        """Return the items whose flags are true, None unless all flags are constants."""
        if items is None or flags is None or len(items) != len(flags):
            return None
        values = [self._table.nodes[flag] for flag in flags]
        if not all(isinstance(each, model.Constant) and each.value in (0, 1) for each in values):
            return None
        pairs = zip(items, values, strict=True)
        return [item for item, flag in pairs if isinstance(flag, model.Constant) and flag.value]

    def _whole(self, name: OperationId) -> int | None:
        value = self._scalar(name)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None
