"""Packing: small groups that do not need each other become one task. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from voxk8s.execution.tasks.fusion_graph import FusionGraph, NumberedGroup
from voxk8s.execution.tasks.partition import MAX_IMAGES, MAX_MEMBERS

PACK_FROM: Final = 32
"""The groups of a layer are packed when there are at least this many."""
PACK_IMAGES_FROM: Final = 4
"""Groups that need the same images are packed when a layer has at least this many of them."""

_NOTHING: Final[frozenset[int]] = frozenset()


def pack(graph: FusionGraph, roots: Sequence[int], limit: float) -> list[NumberedGroup]:
    """Return the groups with these roots, small ones packed, in topological order.

    Those of one layer are packed if their values are small and they need the same images, or none:
    so a pack holds no more images than each of its groups. A pack takes at most `limit` seconds.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for number, root in enumerate(roots):
        members[root].append(number)
    groups = [
        NumberedGroup(members[root], [root], sum([graph.seconds[each] for each in members[root]]))
        for root in sorted(members)
    ]
    if len(groups) < PACK_IMAGES_FROM:
        return groups
    layers = [0] * graph.count
    """The layer of each root."""
    similar: dict[tuple[int, frozenset[int]], list[int]] = defaultdict(list)
    depths: list[int] = []
    for position, group in enumerate(groups):
        root = group.exports[0]
        depth = 0
        for member in group.members:
            for need in graph.needs[member]:
                if layers[need] >= depth and roots[need] != root:
                    depth = layers[need] + 1
        layers[root] = depth
        depths.append(depth)
        if not graph.large[root] and group.seconds <= limit / 2:
            images = _images(graph, group, roots) if graph.has_images else _NOTHING
            if len(images) <= MAX_IMAGES:
                similar[depth, images].append(position)
    packs: dict[int, NumberedGroup] = {}
    packed: set[int] = set()
    for (_, images), positions in similar.items():
        if len(positions) < (PACK_IMAGES_FROM if images else PACK_FROM):
            continue
        current: NumberedGroup | None = None
        for position in positions:
            group = groups[position]
            if (
                current is None
                or len(current.members) + len(group.members) > MAX_MEMBERS
                or current.seconds + group.seconds > limit
            ):
                current = packs[position] = NumberedGroup([], [], 0.0)
            else:
                packed.add(position)
            current.members += group.members
            current.exports += group.exports
            current.seconds += group.seconds
    if not packed:
        return groups
    # Sorted by layer the order stays topological.
    kept = [position for position in range(len(groups)) if position not in packed]
    kept.sort(key=depths.__getitem__)
    return [packs.get(position, groups[position]) for position in kept]


def _images(graph: FusionGraph, group: NumberedGroup, roots: Sequence[int]) -> frozenset[int]:
    """Return the images that a group needs from others."""
    root = group.exports[0]
    found: set[int] = set()
    for member in group.members:
        found.update(
            [need for need in graph.needs[member] if graph.large[need] and roots[need] != root]
        )
        found.update(graph.fetches.get(member, ()))
    return frozenset(found)
