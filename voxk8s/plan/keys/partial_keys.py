"""What a node comes to while keys are made: a key, or what it waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voxk8s.plan.graph import is_ordered, reachable, topological_order
from voxk8s.plan.model import Closure, Node, Operation, OperationId, ResultKey, Scalar
from voxk8s.plan.signature import Role, Signature, takes_geometry


class PartialKey:
    """One node with everything substituted.

    `id` is the operation id with a loop's items written in. `key` is None while it waits for
    `waits` (which then end in inputs, deferred operations or errors) and for closures; `needs` are
    the results that it takes besides. `value` is the value of a constant. `items` are those of a
    sequence that the plan knows.
    """

    __slots__ = ("body", "id", "items", "key", "needs", "value", "waits")

    def __init__(
        self,
        name: OperationId,
        key: ResultKey | None,
        *,
        value: Scalar | None = None,
        items: tuple[PartialKey, ...] | None = None,
        waits: tuple[PartialKey, ...] = (),
        needs: tuple[ResultKey, ...] = (),
        body: BoundClosure | None = None,
    ) -> None:
        self.id = name
        self.key = key
        self.value = value
        self.items = items
        self.waits = waits
        self.needs = needs
        self.body = body


@dataclass(frozen=True, slots=True)
class BoundClosure:
    """A closure whose captures have their terms; `scope` is where it stands."""

    closure: Closure
    captures: Mapping[str, PartialKey]
    scope: Scope


class Layout:
    """The nodes of one scope in the order to make terms in; made once a closure.

    `loads` are the scope's own inputs, which give nullary geometry its size, sorted by id.
    `borrows` says that geometry in here takes the images of an enclosing scope.
    """

    def __init__(
        self,
        nodes: Mapping[OperationId, Node],
        roots: Sequence[OperationId],
        signatures: Mapping[str, Signature],
        layouts: Mapping[OperationId, Layout],
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
    """Where a node stands: the terms of its neighbours, and the scope around it."""

    __slots__ = ("layout", "outer", "terms")

    def __init__(
        self, layout: Layout, terms: dict[OperationId, PartialKey], outer: Scope | None = None
    ) -> None:
        self.layout = layout
        self.terms = terms
        self.outer = outer

    def images(self) -> tuple[list[PartialKey], bool]:
        """Give the inputs that bind nullary geometry here, and whether they are the plan's own."""
        scope = self
        while not scope.layout.loads and scope.outer is not None:
            scope = scope.outer
        return [scope.terms[name] for name in scope.layout.loads], scope.outer is None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has no key: what each of it waits for directly, and the results that it takes."""

    pending: dict[OperationId, tuple[OperationId, ...]]
    needs: tuple[ResultKey, ...]


def waiting_from(terms: Mapping[OperationId, PartialKey], goals: Sequence[OperationId]) -> Waiting:
    """Walk from the goals over what has no key."""
    pending: dict[OperationId, tuple[OperationId, ...]] = {}
    needs: dict[ResultKey, None] = {}
    stack = [terms[goal] for goal in goals if terms[goal].key is None]
    while stack:
        term = stack.pop()
        if term.id not in pending:
            pending[term.id] = tuple([each.id for each in term.waits])
            needs.update(dict.fromkeys(term.needs))
            stack += term.waits
    return Waiting(pending, tuple(needs))
