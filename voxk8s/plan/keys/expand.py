"""Terms of loops and folds, written out over the items of their sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from voxk8s.errors import InvalidPlan
from voxk8s.plan import sequences
from voxk8s.plan.kernels import Kernels
from voxk8s.plan.keys.key_graph import Deferred
from voxk8s.plan.keys.partial_keys import Bound, Term
from voxk8s.plan.keys.result_keys import kernel_tail
from voxk8s.plan.keys.sequence_items import Items
from voxk8s.plan.model import OperationId
from voxk8s.plan.signature import Role, Signature


class Maker(Protocol):
    """Makes the terms of bodies, and collects what is to be said of the graph."""

    kernels: Kernels
    deferred: dict[OperationId, Deferred]
    rejected: dict[OperationId, str]

    def size(self, bound: Bound) -> int:
        """Count the nodes of a closure's body."""

    def apply(self, bound: Bound, item: Term) -> Term:
        """Evaluate a closure's body for one item."""

    def computed(
        self, signature: Signature, tail: str, arguments: Sequence[Term], name: OperationId
    ) -> Term:
        """Make the term of an operation that its kernel computes."""


class Loops:
    """Evaluates the bodies of loops and folds as soon as their items are known."""

    def __init__(self, maker: Maker, items: Items) -> None:
        self._maker = maker
        self._items = items

    def term(self, role: Role, arguments: Sequence[Term], name: OperationId) -> Term:
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
            return Term(name, None)

    def _term(self, role: Role, bound: Bound, domain: Term, name: OperationId) -> Term:
        try:
            items = self._items.of(domain)
        except TypeError as error:
            verb = "loop" if role is Role.MAP else "fold"
            self._maker.rejected[name] = f"cannot {verb}: {error}"
            return Term(name, None)
        if items is None:
            if domain.key is None:
                return Term(name, None, waits=(domain,))
            self._maker.deferred[name] = Deferred(name, domain.key)
            return Term(name, None)
        self._items.count(len(items) * self._maker.size(bound))
        return self._fold(bound, items) if role is Role.FOLD else self._map(bound, items, name)

    def _map(self, bound: Bound, items: Sequence[Term], name: OperationId) -> Term:
        """Make the sequence of what the body gives for each item."""
        results = tuple([self._maker.apply(bound, item) for item in items])
        sequence = self._maker.kernels.need(sequences.SEQUENCE, f"$.nodes.{name}")
        tail = kernel_tail(sequence.qualified, sequence.version)
        return self._maker.computed(sequence, tail, results, name)

    def _fold(self, bound: Bound, items: Sequence[Term]) -> Term:
        """Evaluate the body for one item after the other, each with what came out before."""
        captures = dict(bound.captures)
        for item in items:
            step = Bound(bound.closure, captures, bound.scope)
            captures = {**captures, sequences.ACCUMULATOR: self._maker.apply(step, item)}
        return captures[sequences.ACCUMULATOR]
