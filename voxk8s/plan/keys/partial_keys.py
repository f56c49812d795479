"""State of one node while keys are made: its key, or what the key waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from voxk8s.plan.graph import is_ordered, reachable, topological_order
from voxk8s.plan.model import Closure, Node, Operation, OperationId, ResultKey, Scalar
from voxk8s.plan.signature import Role, Signature, takes_geometry


class PartialKey:
    """One node, with loop items substituted.

    `id` is the operation id with loop items substituted. `key` is None for a closure, and while it
    waits for `waits` (which end in inputs, deferred operations or errors); `needs` are the keys of
    its other arguments. `value` is the value of a constant. `items` are those of a sequence that
    the plan spells out.
    """

    __slots__ = ("closure", "id", "items", "key", "needs", "value", "waits")

    def __init__(
        self,
        name: OperationId,
        key: ResultKey | None,
        *,
        value: Scalar | None = None,
        items: tuple[PartialKey, ...] | None = None,
        waits: tuple[PartialKey, ...] = (),
        needs: tuple[ResultKey, ...] = (),
        closure: BoundClosure | None = None,
    ) -> None:
        self.id = name
        self.key = key
        self.value = value
        self.items = items
        self.waits = waits
        self.needs = needs
        self.closure = closure


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
        def unbound(node: Node) -> bool:
            if isinstance(node, Operation):
                return takes_geometry(signatures[node.operator], len(node.arguments))
            return isinstance(node, Closure) and layouts[node.id].borrows

        self.loads = sorted(
            name
            for name, node in nodes.items()
            if isinstance(node, Operation) and signatures[node.operator].role is Role.LOAD
        )
        special = any(signature.role is Role.GEOMETRY for signature in signatures.values())
        needs: dict[OperationId, Sequence[OperationId]] = {}
        for name, node in nodes.items():
            if isinstance(node, Operation):
                needs[name] = node.arguments
            elif isinstance(node, Closure):
                needs[name] = tuple(node.captures.values())
            else:
                needs[name] = ()
            if special and unbound(node):
                needs[name] = [*needs[name], *self.loads]
        if is_ordered(needs):
            reached = reachable(needs, roots)
            self.order = [node for name, node in nodes.items() if name in reached]
        else:
            self.order = [nodes[name] for name in topological_order(needs, roots)]
        self.borrows = special and not self.loads and any(unbound(node) for node in self.order)


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
