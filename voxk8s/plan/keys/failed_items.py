"""Finds the items of loops that a run may skip, since they have failed for good."""

from __future__ import annotations

from collections.abc import Mapping, Set

import msgspec

from voxk8s.plan.keys.key_graph import KeyGraph, KeyNode, KeyOperation
from voxk8s.plan.keys.partial_keys import PartialKey
from voxk8s.plan.model import OperationId, ResultKey
from voxk8s.plan.sequence_kernels import RECOVER

Cause = str
"""What failed first: a result key, or the id of an operation that has no key."""


class FailedItem(msgspec.Struct, frozen=True):
    """An item of a loop: the id of its result, its position, its text, and what failed first."""

    result: OperationId
    position: int
    text: str
    cause: Cause


def failed_items(
    graph: KeyGraph,
    failed: Set[ResultKey],
    blocked: Set[OperationId],
    skipped: Set[OperationId] = frozenset(),
) -> list[FailedItem]:
    """Return the items of loops that made a goal fail, innermost loops only.

    `failed` are keys of operations that failed for good, `blocked` ids of those that can never have
    a key, `skipped` the results that are left out already. A loop all of whose items fail has
    failed itself: none of its items is returned, but the item of an outer loop may be. Nor are
    items that fail where `recover` has another value for what needs them.
    """
    loops = list(graph.loops.values())
    causes = _causes(graph.nodes, failed, frozenset())
    keys, waiting = _reaching_goals(graph, causes)
    partly: dict[OperationId, ResultKey | None] = {}
    for loop in loops:
        left = [each for each in loop.results if each.id not in skipped]
        found = [each for each in left if _cause(each, causes, blocked, frozenset())]
        if len(found) < len(left):
            partly.update(
                {each.id: each.key for each in found if each.key in keys or each.id in waiting}
            )
    if not partly:
        return []
    stops = frozenset(key for key in partly.values() if key is not None)
    causes = _causes(graph.nodes, failed, stops)
    sources = {
        result.id: source
        for loop in loops
        for result, source in zip(loop.results, loop.sources, strict=True)
        if result.id != source.id  # `for y in ys do y`
    }
    items: dict[OperationId, FailedItem] = {}
    for loop in loops:
        for position, result in zip(loop.places, loop.results, strict=True):
            if result.id not in partly:
                continue
            cause = _cause(result, causes, blocked, partly.keys())
            if cause is not None:
                text = _text(result, sources)
                items.setdefault(result.id, FailedItem(result.id, position, text, cause))
    return list(items.values())


def _reaching_goals(
    graph: KeyGraph, causes: Mapping[ResultKey, Cause]
) -> tuple[set[ResultKey], set[OperationId]]:
    """Return the keys whose failure made a goal fail, and the ids without a key that goals need."""
    pivots = {each.operation: each.pivot for each in graph.deferred}
    found = [goal.key for goal in graph.goals if goal.key is not None]
    ids: set[OperationId] = set()
    stack = [graph.partial[goal.goal.id] for goal in graph.goals if goal.key is None]
    while stack:
        each = stack.pop()
        if each.id in ids:
            continue
        ids.add(each.id)
        stack += each.waits
        found += each.needs if each.key is None else (each.key,)
        if each.id in pivots:
            found.append(pivots[each.id])
    keys: set[ResultKey] = set()
    while found:
        key = found.pop()
        if key in causes and key not in keys:
            keys.add(key)
            found += _unrecovered(graph.nodes[key])
    return keys, ids


def _unrecovered(node: KeyNode) -> tuple[ResultKey, ...]:
    """Return the arguments whose failure is that of an operation."""
    is_recover = isinstance(node, KeyOperation) and node.kernel == RECOVER
    return node.arguments[1:] if is_recover else node.arguments


def _causes(
    nodes: Mapping[ResultKey, KeyNode], failed: Set[ResultKey], stops: Set[ResultKey]
) -> dict[ResultKey, Cause]:
    """Return what made each operation fail; failures do not spread from `stops`."""
    causes: dict[ResultKey, Cause] = {}
    for key, node in nodes.items():
        if key in failed:
            causes[key] = key
            continue
        for argument in _unrecovered(node):
            if argument in causes and argument not in stops:
                causes[key] = causes[argument]
                break
    return causes


def _cause(
    partial: PartialKey,
    causes: Mapping[ResultKey, Cause],
    blocked: Set[OperationId],
    stops: Set[OperationId],
) -> Cause | None:
    """Return what made an operation fail, also one without a key; None if it has not failed."""
    if partial.key is not None:
        return causes.get(partial.key)
    seen: set[OperationId] = set()
    stack = [partial]
    while stack:
        each = stack.pop()
        if each.id in seen or (each is not partial and each.id in stops):
            continue
        seen.add(each.id)
        if each.id in blocked:
            return each.id
        for key in each.needs if each.key is None else (each.key,):
            if key in causes:
                return causes[key]
        stack += each.waits
    return None


def _text(result: PartialKey, sources: Mapping[OperationId, PartialKey]) -> str:
    """Return the value of the item that a result was made from, empty if it is no constant."""
    source = result
    seen: set[OperationId] = set()
    while source.value is None and source.id in sources and source.id not in seen:
        seen.add(source.id)
        source = sources[source.id]
    return "" if source.value is None else str(source.value)
