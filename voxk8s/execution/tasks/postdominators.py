"""Immediate post-dominators of an acyclic graph: where all that uses a value comes together. Pure.

A node is post-dominated by another one if every way from it to a result passes that other node. The
immediate post-dominators are the parents of a forest; the nodes below one of them, without what is
cut off, are used inside only, and their sole value that is used outside is that of the parent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

NONE: Final = -1
"""The parent of a node whose uses do not come together, or are results."""
MAX_STEPS: Final = 64
"""How far up the forest the users of one node are followed, so that the time stays linear."""


def immediate_postdominators(
    needs: Sequence[Sequence[int]], results: Collection[int] = ()
) -> list[int]:
    """Return the parent of each node, or NONE.

    `needs` are the arguments of each node, all with smaller numbers; `results` are also used
    outside of the graph, and so are nodes without users. Where the users of a node come together
    only after many steps, its parent is NONE as well.
    """
    count = len(needs)
    unseen = count
    parents = [unseen] * count
    depths = [0] * count
    for node in results:
        parents[node] = NONE
    for node in range(count - 1, -1, -1):
        parent = parents[node]
        if parent == unseen:
            parent = parents[node] = NONE
        if parent != NONE:
            depths[node] = depths[parent] + 1
        for need in needs[node]:
            held = parents[need]
            if held == unseen:
                parents[need] = node
            elif held not in (NONE, node):
                parents[need] = _meet(held, node, parents, depths)
    return parents


def _meet(one: int, other: int, parents: list[int], depths: list[int]) -> int:
    """Return the first node that is on the ways up from both, or NONE."""
    for _ in range(MAX_STEPS):
        if one == other:
            return one
        if depths[one] < depths[other]:
            one, other = other, one
        one = parents[one]
        if one == NONE:
            return NONE
    return NONE
