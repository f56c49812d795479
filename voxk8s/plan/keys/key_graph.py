"""The key graph of a plan: its operations by result key, equal ones merged, loops expanded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from voxk8s.plan.graph import reachable
from voxk8s.plan.kernel_version import KernelVersion
from voxk8s.plan.keys.partial_keys import LoopItems, PartialKey
from voxk8s.plan.keys.pins import InputRef, Pin
from voxk8s.plan.keys.result_keys import save_location_id
from voxk8s.plan.model import Goal, OperationId, ResultKey, Scalar
from voxk8s.plan.signature import Role


class KeyConstant(msgspec.Struct, frozen=True, gc=False):
    """A constant of the plan; never stored, never looked up."""

    key: ResultKey
    value: Scalar

    @property
    def arguments(self) -> tuple[ResultKey, ...]:
        """Always empty."""
        return ()


class KeyOperation(msgspec.Struct, frozen=True, gc=False):
    """An operation by its result key.

    `arguments` are the keys of the kernel's arguments; an input (`pin` is given) lists those after
    the address, which is in the pin. `version` is that of the kernel where the key was made;
    workers refuse to compute the operation with another one. `operation` is the id in the plan;
    inside a loop, the id of the node with loop items substituted. `suffix` is set for saved files.
    """

    key: ResultKey
    kernel: str
    version: KernelVersion
    arguments: tuple[ResultKey, ...]
    operation: OperationId
    role: Role = Role.COMPUTE
    pin: Pin | None = None
    suffix: str | None = None

    @property
    def location_id(self) -> OperationId:
        """Id by which source locations list it: the saving of a value has one of its own."""
        return (
            self.operation if self.suffix is None else save_location_id(self.operation, self.suffix)
        )


KeyNode: TypeAlias = KeyConstant | KeyOperation

Values: TypeAlias = Mapping[ResultKey, object]
"""Values of pivots; items that are not scalars may be any placeholder."""


class KeyGoal(msgspec.Struct, frozen=True, gc=False):
    """A goal and the key of its value, or of its file for a `save`.

    `key` is None while the goal waits for a pin or for a value of the run; `blockers` of
    `operation` then says for which.
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


@dataclass(frozen=True, slots=True, eq=False)
class KeyGraph:
    """All nodes that goals need and that have keys, each after its arguments.

    An operation without a key waits, in the end, for an input without a pin (`unpinned`) or for a
    value of the run (`deferred`), or can never have one (`rejected`, with the reason). These three
    hold only what goals need. `pending` maps an operation without a key to those it waits for
    directly. `keyless` counts the operations without a key, files to be saved included;
    `extra_needs` are the keys of their other arguments. `given` are the pivots whose values were
    given: goals may not need them any more, but the graph depends on them. `loops` are the loops
    that were expanded, if their items may be skipped.
    """

    nodes: Mapping[ResultKey, KeyNode]
    goals: tuple[KeyGoal, ...]
    unpinned: Mapping[OperationId, InputRef]
    deferred: tuple[Deferred, ...]
    rejected: Mapping[OperationId, str]
    pending: Mapping[OperationId, tuple[OperationId, ...]]
    keyless: int
    extra_needs: tuple[ResultKey, ...]
    given: tuple[ResultKey, ...]
    partial: Mapping[OperationId, PartialKey] = field(repr=False)
    sources: Mapping[OperationId, OperationId] = field(repr=False)
    loops: Mapping[OperationId, LoopItems] = field(repr=False)
    expanded: Callable[[Values, Mapping[OperationId, Pin]], KeyGraph] = field(repr=False)
    """Returns the graph that more values and pins allow."""

    @property
    def keys(self) -> dict[OperationId, ResultKey]:
        """Keys by operation id, of all operations and constants that have one."""
        return {name: each.key for name, each in self.partial.items() if each.key is not None}

    def key_of(self, operation: OperationId) -> ResultKey | None:
        """Return the key of an operation; None if it has none or no goal needs it."""
        partial = self.partial.get(operation)
        return None if partial is None else partial.key

    def source_of(self, operation: OperationId) -> OperationId:
        """Return the node of the plan, or of a loop's body, that an operation was made from."""
        while operation in self.sources:
            operation = self.sources[operation]
        return operation


def blockers(graph: KeyGraph, operation: OperationId) -> frozenset[OperationId]:
    """Return what an operation without a key waits for in the end.

    The ids are those of `graph.unpinned`, `graph.deferred` and `graph.rejected`.
    """
    found = reachable(graph.pending, [operation])
    return frozenset(name for name in found if not graph.pending[name])


def result_graph(nodes: Mapping[ResultKey, KeyNode], *keys: ResultKey) -> KeyGraph:
    """Return the graph of some results, whose goals are to print them.

    `nodes` are those of a graph, in topological order; what the results do not need is left out.
    """
    needed = reachable({name: node.arguments for name, node in nodes.items()}, keys)
    graph = KeyGraph(
        nodes={name: each for name, each in nodes.items() if name in needed},
        goals=tuple(_print_goal(nodes[key]) for key in keys),
        unpinned={},
        deferred=(),
        rejected={},
        pending={},
        keyless=0,
        extra_needs=(),
        given=(),
        partial={},
        sources={},
        loops={},
        expanded=lambda _values, _pins: graph,
    )
    return graph


def _print_goal(node: KeyNode) -> KeyGoal:
    operation = node.operation if isinstance(node, KeyOperation) else OperationId(node.key)
    return KeyGoal(Goal("print", operation, f"the result {node.key}"), node.key, operation)
