"""Terms of loops and folds, written out over the items of their sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from voxk8s.errors import InvalidPlan
from voxk8s.plan import sequence_kernels
from voxk8s.plan.keys.key_graph import Deferred
from voxk8s.plan.keys.partial_keys import BoundClosure, PartialKey
from voxk8s.plan.keys.result_keys import kernel_tail
from voxk8s.plan.keys.sequence_items import Items
from voxk8s.plan.model import OperationId
from voxk8s.plan.signature import Role, Signature
from voxk8s.plan.visible_kernels import VisibleKernels


class Maker(Protocol):
    """Makes the terms of bodies, and collects what is to be said of the graph."""

    kernels: VisibleKernels
    deferred: dict[OperationId, Deferred]
    rejected: dict[OperationId, str]

    def size(self, bound: BoundClosure) -> int:
        """Count the nodes of a closure's body."""

    def apply(self, bound: BoundClosure, item: PartialKey) -> PartialKey:
        """Evaluate a closure's body for one item."""

    def computed(
        self, signature: Signature, tail: str, arguments: Sequence[PartialKey], name: OperationId
    ) -> PartialKey:
        """Make the term of an operation that its kernel computes."""


class Loops:
    """Evaluates the bodies of loops and folds as soon as their items are known."""

    def __init__(self, maker: Maker, items: Items) -> None:
        self._maker = maker
        self._items = items

    def term(self, role: Role, arguments: Sequence[PartialKey], name: OperationId) -> PartialKey:
        """Make the term of a loop or a fold: written out, or waiting for its sequence."""
        bound, domain = arguments[0].body, arguments[1]
        if bound is None:
            raise InvalidPlan(f"operation {name}: the first argument of a loop must be a closure")
        try:
            return self._term(role, bound, domain, name)
        except InvalidPlan as error:
            if domain.items is not None:
                raise
            # The plan is right; what the run has found is too much for this loop alone.
            self._maker.rejected[name] = error.message
            return PartialKey(name, None)

    def _term(
        self, role: Role, bound: BoundClosure, domain: PartialKey, name: OperationId
    ) -> PartialKey:
        try:
            items = self._items.of(domain)
        except TypeError as error:
            verb = "loop" if role is Role.MAP else "fold"
            self._maker.rejected[name] = f"cannot {verb}: {error}"
            return PartialKey(name, None)
        if items is None:
            if domain.key is None:
                return PartialKey(name, None, waits=(domain,))
            self._maker.deferred[name] = Deferred(name, domain.key)
            return PartialKey(name, None)
        self._items.count(len(items) * self._maker.size(bound))
        return self._fold(bound, items) if role is Role.FOLD else self._map(bound, items, name)

    def _map(
        self, bound: BoundClosure, items: Sequence[PartialKey], name: OperationId
    ) -> PartialKey:
        """Make the sequence of what the body gives for each item."""
        results = tuple([self._maker.apply(bound, item) for item in items])
        sequence = self._maker.kernels.require(sequence_kernels.SEQUENCE, f"$.nodes.{name}")
        tail = kernel_tail(sequence.qualified, sequence.version)
        return self._maker.computed(sequence, tail, results, name)

    def _fold(self, bound: BoundClosure, items: Sequence[PartialKey]) -> PartialKey:
        """Evaluate the body for one item after the other, each with what came out before."""
        captures = dict(bound.captures)
        for item in items:
            step = BoundClosure(bound.closure, captures, bound.scope)
            captures = {**captures, sequence_kernels.ACCUMULATOR: self._maker.apply(step, item)}
        return captures[sequence_kernels.ACCUMULATOR]
