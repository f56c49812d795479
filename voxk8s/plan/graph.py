"""Walks over acyclic graphs: order, reachability, levels, width. Without recursion.

A graph maps each node to the nodes that it needs. Nodes outside the mapping are ignored, so that
the same functions work on a part of a graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

K = TypeVar("K")


class Cycle(ValueError):
    """The graph has a cycle; `members` lists its nodes, each needing the next."""

    def __init__(self, members: tuple[object, ...]) -> None:
        super().__init__(members)
        self.members = members


def topological_order(
    needs: Mapping[K, Collection[K]], roots: Iterable[K] | None = None
) -> list[K]:
    """Return the nodes that `roots` (default: all) need, each after what it needs.

    The order depends only on the order of `roots` and of the needs. Raises `Cycle`.
    """
    order: list[K] = []
    done: dict[K, bool] = {}  # False while a node's needs are being visited
    for root in needs if roots is None else roots:
        if root in done or root not in needs:
            continue
        done[root] = False
        stack = [(root, iter(needs[root]))]
        while stack:
            node, rest = stack[-1]
            for need in rest:
                state = done.get(need)
                if state is None:
                    if need in needs:
                        done[need] = False
                        stack.append((need, iter(needs[need])))
                        break
                elif state is False:
                    path = [member for member, _ in stack]
                    raise Cycle(tuple(path[path.index(need) :]))
            else:
                stack.pop()
                done[node] = True
                order.append(node)
    return order


def reachable(needs: Mapping[K, Collection[K]], roots: Iterable[K]) -> set[K]:
    """Return the roots and all that they need."""
    found = {root for root in roots if root in needs}
    stack = list(found)
    while stack:
        for need in needs[stack.pop()]:
            if need not in found and need in needs:
                found.add(need)
                stack.append(need)
    return found


def levels(needs: Mapping[K, Collection[K]]) -> dict[K, int]:
    """Return for each node the length of the longest chain below it.

    Nodes of one level do not need each other.
    """
    depth: dict[K, int] = {}
    for node, arguments in needs.items():
        level = 0
        for need in arguments:
            below = depth.get(need)
            if below is None:
                if need in needs:  # it is listed later
                    return levels({each: needs[each] for each in topological_order(needs)})
            elif below >= level:
                level = below + 1
        depth[node] = level
    return depth


def width(needs: Mapping[K, Collection[K]]) -> int:
    """Return the number of nodes of the fullest level, which can run in parallel."""
    return max(Counter(levels(needs).values()).values(), default=0)
