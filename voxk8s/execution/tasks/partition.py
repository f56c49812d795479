"""The partition of a plan into groups with one root each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voxk8s.execution.tasks.fusion_graph import FusionGraph
from voxk8s.execution.tasks.postdominators import NONE, immediate_postdominators

MAX_MEMBERS: Final = 512
"""Most operations of a group: bounds what is computed again when a worker dies."""
MAX_IMAGES: Final = 4
"""Most images that a group needs from others, since it holds them all until it ends."""
JOIN_SECONDS: Final = 2e-3
"""What takes no longer than this joins the only operation that uses it, however long that takes."""
_LIGHT: Final = 8
"""A part of less than one eighth of a group is light: it stays where heavy ones are cut off."""

_MAX_FEEDERS: Final = 32
"""Among more parts than this, those that others use are not looked for."""

_NOTHING: Final[frozenset[int]] = frozenset()


def find_roots(graph: FusionGraph, limit: float) -> list[int]:
    """Return the root of each operation's group; a group takes at most `limit` seconds.

    An operation that takes longer by itself is a root; only operations of little cost are in its
    group.
    """
    parents = immediate_postdominators(
        graph.needs, [number for number in range(graph.count) if graph.targets[number]]
    )
    cut = _Cuts(graph, parents, limit).find()
    roots = [NONE] * graph.count
    several = graph.count
    owners = [NONE] * graph.count
    for number in range(graph.count - 1, -1, -1):
        owner = owners[number]
        root = number if cut[number] or owner in (NONE, several) else owner
        roots[number] = root
        for need in graph.needs[number]:
            held = owners[need]
            if held == NONE:
                owners[need] = root
            elif held != root:
                owners[need] = several
    return roots


class _Cuts:
    """Decides from the sources on which operations begin a group of their own.

    The *part* of an operation is what is below it in the tree of post-dominators and not cut off.
    """

    def __init__(self, graph: FusionGraph, parents: Sequence[int], limit: float) -> None:
        self._graph = graph
        self._parents = parents
        self._limit = limit
        self._seconds = list(graph.seconds)
        self._members = [1] * graph.count
        self._images: dict[int, frozenset[int]] = {}
        """The images that a part needs and does not contain; absent if there are none."""
        self._cut = bytearray(graph.targets)

    def find(self) -> bytearray:
        """Return 1 for each operation that begins a group."""
        graph, limit, cut, parents = self._graph, self._limit, self._cut, self._parents
        seconds, members = self._seconds, self._members
        parts: dict[int, list[int]] = {}
        for number, cost in enumerate(graph.seconds):
            if cost > limit:
                cut[number] = True
            images = self._own_images(number) if graph.has_images else _NOTHING
            below = parts.pop(number, None)
            if below is not None:
                count = 1
                for part in below:
                    cost += seconds[part]
                    count += members[part]
                needed = self._needed(below, images) if graph.has_images else _NOTHING
                if cost > limit or count > MAX_MEMBERS or _are_many(needed, images):
                    needed = self._cut_some(number, below, images)
                else:
                    seconds[number], members[number] = cost, count
                images = needed
            if images:
                self._images[number] = images
            parent = parents[number]
            if parent == NONE:
                cut[number] = True
            elif not cut[number]:
                others = parts.get(parent)
                if others is None:
                    parts[parent] = [number]
                else:
                    others.append(number)
        return cut

    def _own_images(self, number: int) -> frozenset[int]:
        graph = self._graph
        images = [need for need in graph.needs[number] if graph.large[need]]
        images += graph.fetches.get(number, ())
        return frozenset(images) if images else _NOTHING

    def _cut_some(self, number: int, below: list[int], images: frozenset[int]) -> frozenset[int]:
        """Cut off parts that do not fit, and join the others; return the images needed."""
        if self._graph.seconds[number] > self._limit:
            below = self._keep_light(number, below, JOIN_SECONDS)
        else:
            below = self._cut_feeders(number, below, images)
            if not self._fits(number, below, images):
                below = self._keep_light(number, below, self._limit / _LIGHT)
        for part in below:
            self._seconds[number] += self._seconds[part]
            self._members[number] += self._members[part]
        return self._needed(below, images)

    def _fits(self, number: int, below: Sequence[int], images: frozenset[int]) -> bool:
        """Whether an operation and parts below it may be one group."""
        return (
            self._seconds[number] + sum([self._seconds[part] for part in below]) <= self._limit
            and sum([self._members[part] for part in below]) < MAX_MEMBERS
            and not _are_many(self._needed(below, images), images)
        )

    def _needed(self, below: Sequence[int], images: frozenset[int]) -> frozenset[int]:
        """Return the images that an operation and parts below it need from others."""
        found = [self._images[part] for part in below if part in self._images]
        return images.union(*found).difference(below) if found or images else _NOTHING

    def _cut_feeders(self, number: int, below: list[int], images: frozenset[int]) -> list[int]:
        """Cut off parts whose values other parts use, the longest first, until the rest fits."""
        if not 1 < len(below) <= _MAX_FEEDERS:
            return below
        used = self._graph.needs[number]
        feeders = [part for part in below if part not in used]
        for part in sorted(feeders, key=self._seconds.__getitem__, reverse=True):
            self._cut[part] = True
            below = [other for other in below if other != part]
            if self._fits(number, below, images):
                break
        return below

    def _keep_light(self, number: int, below: Sequence[int], seconds: float) -> list[int]:
        """Cut off all parts that are not light, or need images; the light ones stay, in order."""
        kept: list[int] = []
        members = 1
        own = self._seconds[number]
        room = self._limit - (own if own <= self._limit else 0.0)
        for part in below:
            count, cost = self._members[part], self._seconds[part]
            is_light = cost <= min(seconds, room) and count <= MAX_MEMBERS // _LIGHT
            if is_light and part not in self._images and members + count <= MAX_MEMBERS:
                kept.append(part)
                members += count
                room -= cost
            else:
                self._cut[part] = True
        return kept


def _are_many(needed: frozenset[int], own: frozenset[int]) -> bool:
    """Whether a group would need too many images, of which its root needs some anyway."""
    return len(needed) > MAX_IMAGES and len(needed) > len(own)
