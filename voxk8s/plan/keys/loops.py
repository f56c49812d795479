"""Keys of loops and folds, expanded over the items of their sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from voxk8s.errors import InvalidPlan
from voxk8s.plan.keys.key_table import KeyTable
from voxk8s.plan.keys.partial_keys import BoundClosure, LoopItems, PartialKey, waiting_for
from voxk8s.plan.keys.sequence_gaps import places, with_gaps
from voxk8s.plan.keys.sequence_items import known_items
from voxk8s.plan.model import OperationId, ResultKey
from voxk8s.plan.sequence_kernels import ACCUMULATOR, SEQUENCE
from voxk8s.plan.signature import Role

_UNKNOWN_ITEM: Final = OperationId("an item that is not known yet")

Apply = Callable[[BoundClosure, PartialKey], PartialKey]
"""Evaluates a closure's body for one item."""


def key_of_loop(
    table: KeyTable, role: Role, arguments: Sequence[PartialKey], name: OperationId, apply: Apply
) -> PartialKey:
    """Return the key of a loop or a fold: expanded, or without a key until its items are known."""
    closure, sequence = arguments[0].closure, arguments[1]
    if closure is None:
        raise InvalidPlan(f"operation {name}: the first argument of a loop must be a closure")
    try:
        try:
            items = known_items(table, sequence)
        except TypeError as error:
            verb = "loop" if role is Role.MAP else "fold"
            return table.reject(name, f"cannot {verb}: {error}")
        if items is None:
            needs = _shared_needs(role, closure, apply)
            if sequence.key is None:
                return PartialKey(name, None, waits=(sequence,), needs=needs)
            return table.defer(name, sequence.key, needs)
        table.count(len(items) * len(closure.layout.order))
        if role is Role.FOLD:
            return _fold(closure, items, apply)
        return _map(table, closure, sequence, items, name, apply)
    except InvalidPlan as error:
        if sequence.items is not None:
            raise
        # The plan is valid; a value of the run is too large for this loop alone.
        return table.reject(name, error.message)


def _shared_needs(role: Role, closure: BoundClosure, apply: Apply) -> tuple[ResultKey, ...]:
    """Return the keys that the body of a loop needs whatever the items are.

    The body is evaluated for an item without a key: what does not depend on it has one.
    """
    unknown = PartialKey(_UNKNOWN_ITEM, None)
    if role is Role.FOLD:
        captures = {**closure.captures, ACCUMULATOR: unknown}
        closure = BoundClosure(closure.closure, closure.layout, captures, closure.scope)
    try:
        result = apply(closure, unknown)
    except InvalidPlan:
        return ()  # said when the items are known
    return waiting_for([result]).needs if result.key is None else (result.key,)


def _map(
    table: KeyTable,
    closure: BoundClosure,
    source: PartialKey,
    items: tuple[PartialKey, ...],
    name: OperationId,
    apply: Apply,
) -> PartialKey:
    """Return the key of the sequence of the body's results, one for each item.

    Items that are to be skipped are left out: the key is that of the sequence of the others.
    """
    results = tuple([apply(closure, item) for item in items])
    sequence = table.kernels.require(SEQUENCE, f"$.nodes.{name}")
    if table.skipped is None:
        return table.operation(sequence, results, name, items=results)
    at = tuple(places(len(items), source.gaps))
    table.loops[name] = LoopItems(results, items, at)
    left_out = [place for place, each in zip(at, results, strict=True) if each.id in table.skipped]
    kept = tuple([each for each in results if each.id not in table.skipped])
    if not kept:  # a loop all of whose items have failed has failed itself
        return table.operation(sequence, results, name, results, source.gaps)
    return table.operation(sequence, kept, name, kept, with_gaps(source.gaps, left_out))


def _fold(closure: BoundClosure, items: Sequence[PartialKey], apply: Apply) -> PartialKey:
    """Evaluate the body for each item in turn, with the result of the item before."""
    captures = dict(closure.captures)
    for item in items:
        step = BoundClosure(closure.closure, closure.layout, captures, closure.scope)
        captures = {**captures, ACCUMULATOR: apply(step, item)}
    return captures[ACCUMULATOR]
