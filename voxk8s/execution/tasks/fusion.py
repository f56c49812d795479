"""Fusion: which operations share a Dask task. Pure.

A group has one *root*; all other members are cheap and used inside the group only. So the value of
the group is the value of its root, and its Dask key is the root's result key: two clients whose
plans overlap share the task. Where a layer of a plan is wide and consists of cheap operations with
small values, independent groups are packed into one task as well.

Rejected: fusing chains of expensive operations. It saves about a millisecond per operation, and two
plans that share such an operation could not share its task any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from voxk8s.plan import ResultKey

GROUP_WEIGHT = 512
"""Largest weight of a task: bounds how long it runs and what is lost with a worker."""
LARGE_WEIGHT = 32
"""Weight of an operation whose value may be an image; with a small value the weight is 1."""
PACK_FROM = 32
"""The groups of a layer are packed when there are at least this many."""
FETCHES_INSIDE = 4
"""Most known results that a task reads from the store itself, one after the other."""


@dataclass(frozen=True, slots=True)
class OperationTraits:
    """The properties of operations on which fusion depends.

    `cheap` operations cost less than a Dask task, `small` ones return small plain values, `targets`
    are delivered one by one (goals and the sequences of loops).
    """

    cheap: Collection[ResultKey]
    small: Collection[ResultKey]
    targets: Collection[ResultKey]


@dataclass(slots=True)
class FusionGroup:
    """The operations of one task.

    `members` are in topological order, `exports` are the results that the task returns, `fetches`
    the known results that it reads from the store.
    """

    members: list[ResultKey]
    exports: list[ResultKey]
    fetches: list[ResultKey] = field(default_factory=list)


def fuse(
    order: Sequence[ResultKey],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    known: Collection[ResultKey],
    traits: OperationTraits,
) -> list[FusionGroup]:
    """Return a partition of `order` into groups, in topological order.

    `order` are the operations to compute, in topological order. `known` are results that the store
    holds: a result that only one group uses is read in that group, others are read once, each in a
    group without members.
    """
    roots = _roots(order, arguments, traits)
    members: dict[ResultKey, list[ResultKey]] = defaultdict(list)
    for key in order:
        members[roots[key]].append(key)
    groups = [FusionGroup(list(members[key]), [key]) for key in order if roots[key] == key]
    groups = _pack(groups, arguments, known, traits)
    return _add_fetches(groups, arguments, known)


def _roots(
    order: Sequence[ResultKey],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    traits: OperationTraits,
) -> dict[ResultKey, ResultKey]:
    """Return the root of each operation's group."""
    users: dict[ResultKey, ResultKey | None] = {}
    """The only root that uses a result, or None when several do."""
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
    """Merge independent groups of a layer whose operations are all cheap and small."""
    if len(groups) < PACK_FROM:
        return groups
    producer = {group.exports[0]: index for index, group in enumerate(groups)}
    layers = [0] * len(groups)
    packable: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        layer = 0
        for key in group.members:
            for argument in arguments[key]:
                below = producer.get(argument)
                if below is not None and below != index:
                    layer = max(layer, layers[below] + 1)
        layers[index] = layer
        if all(key in traits.cheap and key in traits.small for key in group.members) and not any(
            argument in known for key in group.members for argument in arguments[key]
        ):
            packable[layer].append(index)
    packed: dict[int, FusionGroup] = {}
    merged: set[int] = set()
    for indices in packable.values():
        if len(indices) < PACK_FROM:
            continue
        current: FusionGroup | None = None
        for index in indices:
            group = groups[index]
            if current is None or len(current.members) + len(group.members) > GROUP_WEIGHT:
                current = FusionGroup([], [])
                packed[index] = current
            else:
                merged.add(index)
            current.members.extend(group.members)
            current.exports.extend(group.exports)
    if not packed:
        return groups
    # Sorted by layer the order stays topological.
    kept = [index for index in range(len(groups)) if index not in merged]
    kept.sort(key=lambda index: layers[index])
    return [packed.get(index, groups[index]) for index in kept]


def _add_fetches(
    groups: list[FusionGroup],
    arguments: Mapping[ResultKey, Sequence[ResultKey]],
    known: Collection[ResultKey],
) -> list[FusionGroup]:
    """Add the reads of known results: to the group that uses them, or as groups of their own."""
    users: dict[ResultKey, list[FusionGroup]] = defaultdict(list)
    for group in groups:
        seen: set[ResultKey] = set()
        for key in group.members:
            for argument in arguments[key]:
                if argument in known and argument not in seen:
                    seen.add(argument)
                    users[argument].append(group)
    separate: list[FusionGroup] = []
    for key, using in users.items():
        if len(using) == 1 and len(using[0].fetches) < FETCHES_INSIDE:
            using[0].fetches.append(key)
        else:
            separate.append(FusionGroup([], [key], [key]))
    return separate + groups
