"""Which operations share a Dask task: neighbourhoods of cheap ones, never two expensive ones. Pure.

A group has one *root*, and every other member is cheap and used inside the group only, so the
group's value is its root's value and its Dask key is the root's result key: two clients whose plans
overlap still share work. Where a layer of a plan is wide and all of it cheap and small, groups that
do not depend on each other are packed side by side into one task as well.

Rejected: fusing chains of expensive operations. It saves a millisecond of many, and two plans that
share such an operation could not share its task any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from voxk8s.plan import ResultKey

GROUP_WEIGHT = 512
"""Largest weight of one task: bounds how long it runs and what a lost worker costs."""
LARGE_WEIGHT = 32
"""Weight of a cheap operation whose value may be an image; one on plain small values weighs 1."""
PACK_FROM = 32
"""Groups of one layer are packed side by side from this number on."""
FETCHES_INSIDE = 4
"""Most known results that one task reads from the store itself, one after the other."""


@dataclass(frozen=True, slots=True)
class OperationTraits:
    """What fusion knows of the operations.

    `cheap` ones cost less than a task, `small` ones give plain small values, `targets` are
    delivered one by one (goals and pivots of loops).
    """

    cheap: Collection[ResultKey]
    small: Collection[ResultKey]
    targets: Collection[ResultKey]


@dataclass(slots=True)
class FusionGroup:
    """Operations of one task, in an order in which they can run; `exports` leave the task."""

    members: list[ResultKey]
    exports: list[ResultKey]
    fetches: list[ResultKey] = field(default_factory=list)


def fuse(
    order: Sequence[ResultKey],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    known: Collection[ResultKey],
    traits: OperationTraits,
) -> list[FusionGroup]:
    """Part `order` (topological, what is to be computed) into groups, in topological order.

    `known` are results that the store holds: those that one group uses are read inside it, others
    are read once, in a group of their own with no members.
    """
    roots = _roots(order, arguments, traits)
    members: dict[ResultKey, list[ResultKey]] = defaultdict(list)
    for key in order:
        members[roots[key]].append(key)
    groups = [FusionGroup(list(members[key]), [key]) for key in order if roots[key] == key]
    groups = _pack(groups, arguments, known, traits)
    return _fetching(groups, arguments, known)


def _roots(
    order: Sequence[ResultKey],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    traits: OperationTraits,
) -> dict[ResultKey, ResultKey]:
    users: dict[ResultKey, ResultKey | None] = {}
    """The one root that uses a result, or None when several do."""
    roots: dict[ResultKey, ResultKey] = {}
    weights: dict[ResultKey, int] = defaultdict(int)
    for key in reversed(order):
        weight = 1 if key in traits.small else LARGE_WEIGHT
        root = users.get(key)
        if (
            root is None
            or key not in traits.cheap
            or key in traits.targets
            or weights[root] + weight > GROUP_WEIGHT
        ):
            root = key
        roots[key] = root
        weights[root] += weight
        for argument in arguments[key]:
            users[argument] = root if users.get(argument, root) == root else None
    return roots


def _pack(
    groups: list[FusionGroup],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    known: Collection[ResultKey],
    traits: OperationTraits,
) -> list[FusionGroup]:
    """Put groups of one layer side by side where all their operations are cheap and small."""
    if len(groups) < PACK_FROM:
        return groups
    home = {group.exports[0]: index for index, group in enumerate(groups)}
    layers = [0] * len(groups)
    wide: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        layer = 0
        for key in group.members:
            for argument in arguments[key]:
                below = home.get(argument)
                if below is not None and below != index:
                    layer = max(layer, layers[below] + 1)
        layers[index] = layer
        if all(key in traits.cheap and key in traits.small for key in group.members) and not any(
            argument in known for key in group.members for argument in arguments[key]
        ):
            wide[layer].append(index)
    packed: dict[int, FusionGroup] = {}
    gone: set[int] = set()
    for indices in wide.values():
        if len(indices) < PACK_FROM:
            continue
        current: FusionGroup | None = None
        for index in indices:
            group = groups[index]
            if current is None or len(current.members) + len(group.members) > GROUP_WEIGHT:
                current = FusionGroup([], [])
                packed[index] = current
            else:
                gone.add(index)
            current.members.extend(group.members)
            current.exports.extend(group.exports)
    if not packed:
        return groups
    # Layers keep the order topological: a packed group stands where its layer stands.
    kept = [index for index in range(len(groups)) if index not in gone]
    kept.sort(key=lambda index: layers[index])
    return [packed.get(index, groups[index]) for index in kept]


def _fetching(
    groups: list[FusionGroup],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    known: Collection[ResultKey],
) -> list[FusionGroup]:
    users: dict[ResultKey, list[FusionGroup]] = defaultdict(list)
    for group in groups:
        seen: set[ResultKey] = set()
        for key in group.members:
            for argument in arguments[key]:
                if argument in known and argument not in seen:
                    seen.add(argument)
                    users[argument].append(group)
    alone: list[FusionGroup] = []
    for key, using in users.items():
        if len(using) == 1 and len(using[0].fetches) < FETCHES_INSIDE:
            using[0].fetches.append(key)
        else:
            alone.append(FusionGroup([], [key], [key]))
    return alone + groups
