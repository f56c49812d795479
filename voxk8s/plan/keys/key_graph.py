"""A plan by result keys: what there is to compute, merged, with loops written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import msgspec

from voxk8s.plan.keys.pins import InputRef, Pin
from voxk8s.plan.keys.result_keys import save_location_id
from voxk8s.plan.model import Goal, OperationId, ResultKey, Scalar
from voxk8s.plan.signature import Role


class KeyConstant(msgspec.Struct, frozen=True, gc=False):
    """A value that the plan spells out; never stored, never looked up."""

    key: ResultKey
    value: Scalar

    @property
    def arguments(self) -> tuple[ResultKey, ...]:
        """A constant needs nothing."""
        return ()


class KeyOperation(msgspec.Struct, frozen=True, gc=False):
    """An operation by its result key.

    `arguments` are the keys of the values to call the kernel with; for an input (`pin` is given)
    those beside the address, which is in the pin. `operation` is the id in the plan; inside a
    loop that of the node with the loop's items written in. `suffix` is given for saved files.
    """

    key: ResultKey
    kernel: str
    version: int
    arguments: tuple[ResultKey, ...]
    operation: OperationId
    role: Role = Role.COMPUTE
    pin: Pin | None = None
    suffix: str | None = None

    @property
    def location_id(self) -> OperationId:
        """What its place in a program goes by: a file is saved elsewhere than its value is made."""
        return (
            self.operation if self.suffix is None else save_location_id(self.operation, self.suffix)
        )


KeyNode: TypeAlias = KeyConstant | KeyOperation


class KeyGoal(msgspec.Struct, frozen=True, gc=False):
    """A goal and the key that answers it: of the value, or of the file for a `save`.

    `key` is None while the goal waits for a pin or for a value of the run; `operation` then is
    what to ask `blockers` about.
    """

    goal: Goal
    key: ResultKey | None
    operation: OperationId


class Deferred(msgspec.Struct, frozen=True, gc=False):
    """An operation that has no key before the value under `pivot` is known.

    The pivot is a loop's sequence or an input's computed address.
    """

    operation: OperationId
    pivot: ResultKey


class Origin(Protocol):
    """What a key graph was made by, and grows by."""

    def keys(self) -> dict[OperationId, ResultKey]:
        """Give the keys of all operations and constants that have one."""

    def key_of(self, operation: OperationId) -> ResultKey | None:
        """Give one operation's key, if it has one."""

    def source_of(self, operation: OperationId) -> OperationId:
        """Give the node of the plan, or of a loop's body, that an operation was made from."""

    def grow(self, values: Mapping[ResultKey, object], pins: Mapping[OperationId, Pin]) -> KeyGraph:
        """Give the graph that more knowledge allows."""


@dataclass(frozen=True, slots=True, eq=False)
class KeyGraph:
    """All nodes that goals need and that have keys, each after its arguments.

    What has no key yet waits, in the end, for one of these: `unpinned`, the inputs without a pin;
    `deferred`, the operations that need a value of the run. `rejected` says why operations can
    never be done. All three hold only what goals need. `pending` leads from an operation without
    a key to what it waits for directly. `keyless` counts what has no key, files to be saved
    included, and `beside` are the results that it takes. `told` are pivots whose values were given:
    no goal may need them any more, but there would be no graph without them.
    """

    nodes: Mapping[ResultKey, KeyNode]
    goals: tuple[KeyGoal, ...]
    unpinned: Mapping[OperationId, InputRef]
    deferred: tuple[Deferred, ...]
    rejected: Mapping[OperationId, str]
    pending: Mapping[OperationId, tuple[OperationId, ...]]
    keyless: int
    beside: tuple[ResultKey, ...]
    told: tuple[ResultKey, ...]
    origin: Origin = field(repr=False)

    @property
    def keys(self) -> dict[OperationId, ResultKey]:
        """Keys by operation id, of all operations and constants that have one."""
        return self.origin.keys()

    def key_of(self, operation: OperationId) -> ResultKey | None:
        """Give the key of an operation of the plan; None if it has none or no goal needs it."""
        return self.origin.key_of(operation)

    def source_of(self, operation: OperationId) -> OperationId:
        """Give the node of the plan, or of a loop's body, that an operation was made from."""
        return self.origin.source_of(operation)


def blockers(graph: KeyGraph, operation: OperationId) -> frozenset[OperationId]:
    """Collect what an operation without a key waits for in the end.

    The ids are those of `graph.unpinned`, `graph.deferred` and `graph.rejected`.
    """
    if operation not in graph.pending:
        return frozenset()
    found = {operation}
    ends: set[OperationId] = set()
    stack = [operation]
    while stack:
        name = stack.pop()
        waits = graph.pending.get(name, ())
        if not waits:
            ends.add(name)
        for each in waits:
            if each not in found:
                found.add(each)
                stack.append(each)
    return frozenset(ends)
