"""State of one node while keys are made: its key, or what the key waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from voxk8s.plan.graph import topological_order
from voxk8s.plan.model import Closure, Constant, Node, Operation, OperationId, ResultKey, Scalar
from voxk8s.plan.signature import Role, Signature, takes_geometry


class PartialKey(msgspec.Struct, eq=False):
    """One node, with loop items substituted.

    `id` is the operation id with loop items substituted. `key` is None for a closure, and while it
    waits for `waits` (which end in inputs, deferred operations or errors); `needs` are the keys of
    its other arguments. `value` is the value of a constant. `items` are those of a sequence that
    the plan spells out; those of a range have no keys before something needs them. `gaps` are the
    positions, in the program, of items that have failed and are left out.
    """

    id: OperationId
    key: ResultKey | None
    value: Scalar | None = None
    items: tuple[PartialKey, ...] | range | None = None
    waits: tuple[PartialKey, ...] = ()
    needs: tuple[ResultKey, ...] = ()
    closure: BoundClosure | None = None
    gaps: tuple[int, ...] = ()


class LoopItems(msgspec.Struct, frozen=True, eq=False):
    """An expanded loop: the results of its body, their items, and the positions of these."""

    results: tuple[PartialKey, ...]
    sources: tuple[PartialKey, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BoundClosure:
    """A closure with its captured nodes; `layout` is that of its body, `scope` encloses it."""

    closure: Closure
    layout: ScopeLayout
    captures: Mapping[str, PartialKey]
    scope: Scope


class ScopeLayout:
    """The nodes of one scope in the order in which keys are made; computed once a closure.

    `loads` are the scope's own inputs, which give nullary geometry its size, sorted by id.
    `borrows` says that geometry in this scope takes the images of an enclosing scope.
    """

    def __init__(
        self,
        nodes: Mapping[OperationId, Node],
        roots: Sequence[OperationId],
        signatures: Mapping[str, Signature],
        layouts: Mapping[OperationId, ScopeLayout],
    ) -> None:
        roles = {operator: signature.role for operator, signature in signatures.items()}
        self.loads: list[OperationId] = []
        if Role.LOAD in roles.values():
            self.loads = sorted(
                name
                for name, node in nodes.items()
                if type(node) is Operation and roles[node.operator] is Role.LOAD
            )
        special = Role.GEOMETRY in roles.values()

        def needs_of(node: Node) -> Sequence[OperationId]:
            if type(node) is Operation:
                needs: Sequence[OperationId] = node.arguments
            elif isinstance(node, Closure):
                needs = tuple(node.captures.values())
            else:
                return ()
            return [*needs, *self.loads] if special and unbound(node) else needs

        def unbound(node: Operation | Closure) -> bool:
            if isinstance(node, Operation):
                return takes_geometry(signatures[node.operator], len(node.arguments))
            return layouts[node.id].borrows

        self.order = _needed(nodes, roots, needs_of)
        self.borrows = (
            special
            and not self.loads
            and any(unbound(node) for node in self.order if isinstance(node, Operation | Closure))
        )


def _needed(
    nodes: Mapping[OperationId, Node],
    roots: Sequence[OperationId],
    needs_of: Callable[[Node], Sequence[OperationId]],
) -> list[Node]:
    """Return the nodes that `roots` need, each after what it needs; raises Cycle."""
    needed = set(roots)
    passed: set[OperationId] = set()
    order: list[Node] = []
    # Most plans list each node after what it needs: then one walk from the end finds all.
    for node in reversed(tuple(nodes.values())):
        if node.id in needed:
            passed.add(node.id)
            order.append(node)
            if type(node) is not Constant:
                needs = needs_of(node)
                if not passed.isdisjoint(needs):
                    break
                needed.update(needs)
    else:
        if len(passed) == len(needed):
            order.reverse()
            return order
    graph = {name: needs_of(node) for name, node in nodes.items()}
    return [nodes[name] for name in topological_order(graph, roots)]


class Scope:
    """The partial keys of the nodes of a plan or of one evaluation of a closure's body."""

    __slots__ = ("keys", "layout", "outer")

    def __init__(
        self,
        layout: ScopeLayout,
        keys: dict[OperationId, PartialKey],
        outer: Scope | None = None,
    ) -> None:
        self.layout = layout
        self.keys = keys
        self.outer = outer

    def images(self) -> tuple[list[PartialKey], bool]:
        """Return the inputs that bind nullary geometry here, and whether they are the plan's."""
        scope = self
        while not scope.layout.loads and scope.outer is not None:
            scope = scope.outer
        return [scope.keys[name] for name in scope.layout.loads], scope.outer is None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Operations without a key, each with those it waits for, and keys of their other arguments."""

    pending: dict[OperationId, tuple[OperationId, ...]]
    needs: tuple[ResultKey, ...]


def waiting_for(goals: Iterable[PartialKey]) -> Waiting:
    """Return the operations without a key that goals need."""
    pending: dict[OperationId, tuple[OperationId, ...]] = {}
    needs: dict[ResultKey, None] = {}
    stack = [goal for goal in goals if goal.key is None]
    while stack:
        partial = stack.pop()
        if partial.id not in pending:
            pending[partial.id] = tuple([each.id for each in partial.waits])
            needs.update(dict.fromkeys(partial.needs))
            stack += partial.waits
    return Waiting(pending, tuple(needs))
