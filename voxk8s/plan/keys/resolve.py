"""Which operations a store holds, and which are left to compute."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from voxk8s.plan.graph import width
from voxk8s.plan.keys.key_graph import KeyConstant, KeyGraph, KeyNode
from voxk8s.plan.model import ResultKey

Contains = Callable[[Collection[ResultKey]], Collection[ResultKey]]
"""Returns the keys, of many, that a store holds."""


class Resolution(msgspec.Struct, frozen=True):
    """What a store leaves to compute.

    `known`: results in the store that goals or operations to compute need. `compute`: the
    operations to compute, each after its arguments. `total`: operations that the goals need with
    an empty store; `cached` of them are known, `skipped` are needed only by known ones, and
    `waiting` have no key or are needed only by such. `width`: most operations to compute in
    parallel. `rounds`: number of look-ups, one after the other.
    """

    known: frozenset[ResultKey]
    compute: tuple[ResultKey, ...]
    total: int
    cached: int
    skipped: int
    waiting: int
    width: int
    rounds: int


def resolve(graph: KeyGraph, contains: Contains) -> Resolution:
    """Look up the goals, then in rounds the arguments of the operations that were not found.

    Arguments of known operations are never looked up, so a known plan costs one round. (`Prefetch`
    is a `contains` that looks ahead in deep plans.)
    """
    nodes = graph.nodes
    constants = {key for key, node in nodes.items() if type(node) is KeyConstant}
    roots = [goal.key for goal in graph.goals if goal.key is not None]
    roots += [deferred.pivot for deferred in graph.deferred]
    seen: set[ResultKey] = set(constants)
    known: set[ResultKey] = set()
    missing: set[ResultKey] = set()
    front = _unseen(roots, seen)
    given = [key for key in graph.given if key not in seen]
    rounds = 0
    while front or given:
        rounds += 1
        found = contains([*front, *given] if given else front)
        present = found if isinstance(found, set | frozenset) else set(found)
        if given:
            known.update(present.intersection(given))
            seen |= known
            given = []
        if present:
            known.update(present.intersection(front))
            front = [key for key in front if key not in present]
        missing.update(front)
        # Inline: a chain of 100,000 operations has as many rounds of one key.
        below: list[ResultKey] = []
        for key in front:
            for argument in nodes[key].arguments:
                if argument not in seen:
                    seen.add(argument)
                    below.append(argument)
        front = below
    compute = tuple([key for key in nodes if key in missing])
    if known or graph.given:
        needed = _needed(nodes, [*roots, *graph.given])
        keyed = len(needed - constants)
    else:
        needed = missing
        keyed = len(missing)
    extra = 0
    if graph.extra_needs:
        extra = len(_needed(nodes, graph.extra_needs) - needed - constants)
    waiting = graph.keyless + extra
    return Resolution(
        known=frozenset(known),
        compute=compute,
        total=keyed + waiting,
        cached=len(known),
        skipped=keyed - len(known) - len(compute),
        waiting=waiting,
        width=width({key: nodes[key].arguments for key in compute}),
        rounds=rounds,
    )


def _needed(nodes: Mapping[ResultKey, KeyNode], roots: Iterable[ResultKey]) -> set[ResultKey]:
    """Return the roots and all that they need, in one walk: a node is listed after its needs."""
    found = set(roots)
    for node in reversed(tuple(nodes.values())):
        if node.key in found:
            found.update(node.arguments)
    return found


def _unseen(keys: Collection[ResultKey], seen: set[ResultKey]) -> list[ResultKey]:
    """Return the keys that are not in `seen`, once each, and add them to it."""
    fresh = [key for key in dict.fromkeys(keys) if key not in seen]
    seen.update(fresh)
    return fresh
