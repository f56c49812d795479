"""The keys made so far, and why the other operations have none yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from voxk8s.errors import InvalidPlan
from voxk8s.plan.expansion_limit import expansion_limit
from voxk8s.plan.identity import constant_id
from voxk8s.plan.kernel_version import UnknownKernelVersion
from voxk8s.plan.keys.key_graph import Deferred, KeyConstant, KeyNode, KeyOperation, Values
from voxk8s.plan.keys.partial_keys import LoopItems, PartialKey
from voxk8s.plan.keys.pins import InputRef, Pin
from voxk8s.plan.keys.result_keys import constant_key, kernel_tail, operation_key
from voxk8s.plan.model import OperationId, ResultKey, Scalar
from voxk8s.plan.signature import Signature
from voxk8s.plan.visible_kernels import VisibleKernels


class KeyTable:
    """Partial keys by operation id, and the nodes of the key graph by key.

    `unpinned`, `deferred` and `rejected` say why operations have no key. `sources` maps an
    operation with loop items substituted to the node it was made from. `skipped` are the ids of
    items' results that loops leave out; None if no loop may.
    """

    def __init__(
        self,
        kernels: VisibleKernels,
        pins: Mapping[OperationId, Pin],
        values: Values,
        skipped: Set[OperationId] | None = None,
    ) -> None:
        self.kernels = kernels
        self.pins = pins
        self.values = values
        self.partial: dict[OperationId, PartialKey] = {}
        self.nodes: dict[ResultKey, KeyNode] = {}
        self.unpinned: dict[OperationId, InputRef] = {}
        self.deferred: dict[OperationId, Deferred] = {}
        self.rejected: dict[OperationId, str] = {}
        self.sources: dict[OperationId, OperationId] = {}
        self.items: dict[ResultKey, tuple[PartialKey, ...]] = {}
        """Items of the sequences in `values`."""
        self.skipped = skipped
        self.loops: dict[OperationId, LoopItems] = {}
        """The loops that were expanded, if items may be skipped."""
        self._loop_operations = 0

    def extended(self, pins: Mapping[OperationId, Pin], values: Values) -> KeyTable:
        """Return a table with more pins and values that has all keys of this one."""
        given = {**self.values, **values}
        table = KeyTable(self.kernels, {**self.pins, **pins}, given, self.skipped)
        table.partial = {name: each for name, each in self.partial.items() if each.key is not None}
        table.nodes = dict(self.nodes)
        table.sources = dict(self.sources)
        table.loops = dict(self.loops)
        return table

    def constant(self, value: Scalar, name: OperationId | None = None) -> PartialKey:
        """Return the key of a constant; `name` is its id where it is known."""
        if name is None:
            name = constant_id(value)
        partial = self.partial.get(name)
        if partial is None:
            key = constant_key(value)
            if key not in self.nodes:
                self.nodes[key] = KeyConstant(key, value)
            partial = self.partial[name] = PartialKey(name, key, value=value)
        return partial

    def operation(
        self,
        signature: Signature,
        arguments: Sequence[PartialKey],
        name: OperationId,
        items: tuple[PartialKey, ...] | range | None = None,
        gaps: tuple[int, ...] = (),
    ) -> PartialKey:
        """Return the key of an operation if all its arguments have keys.

        `items` and `gaps` are those of its value.
        """
        keys = [argument.key for argument in arguments]
        known = tuple([key for key in keys if key is not None])
        if len(known) < len(keys):
            waits = tuple([argument for argument in arguments if argument.key is None])
            return PartialKey(name, None, items=items, waits=waits, needs=known, gaps=gaps)
        try:
            version = self.kernels.version_of(signature)
        except UnknownKernelVersion as error:
            return self.reject(name, error.message)
        key = operation_key(kernel_tail(signature.qualified, version), known)
        if key not in self.nodes:
            self.nodes[key] = KeyOperation(
                key, signature.qualified, version, known, name, signature.role
            )
        return PartialKey(name, key, items=items, gaps=gaps)

    def defer(
        self, name: OperationId, pivot: ResultKey, needs: tuple[ResultKey, ...] = ()
    ) -> PartialKey:
        """Note that an operation has no key before the value under `pivot` is known.

        `needs` are keys that it will need whatever that value is.
        """
        self.deferred[name] = Deferred(name, pivot)
        return PartialKey(name, None, needs=needs)

    def reject(self, name: OperationId, reason: str) -> PartialKey:
        """Note why an operation can never have a key."""
        self.rejected[name] = reason
        return PartialKey(name, None)

    def count(self, operations: int) -> None:
        """Add to the operations and items of loops; raises InvalidPlan for too many."""
        limit = expansion_limit()
        if self._loop_operations + operations > limit:
            raise InvalidPlan(
                f"the loops of this plan have more than {limit:,} operations, the most that are"
                " allowed here; split the plan"
            )
        self._loop_operations += operations
