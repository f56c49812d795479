"""The longest chains of a graph, in seconds. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, TypeVar

UNKNOWN_SECONDS: Final = 1.0
"""What a node of unknown cost is taken to need."""

K = TypeVar("K")


def chain_seconds(needs: Mapping[K, Collection[K]], seconds: Mapping[K, float]) -> dict[K, float]:
    """Return the seconds of the longest chain that ends with each node.

    `needs` lists each node after those that it depends on; `seconds` of unknown cost are infinite.
    """
    ends: dict[K, float] = {}
    for node, below in needs.items():
        start = max([ends.get(need, 0.0) for need in below], default=0.0)
        ends[node] = start + finite(seconds[node])
    return ends


def finite(seconds: float) -> float:
    """Return the seconds of a node, `UNKNOWN_SECONDS` for infinity."""
    return UNKNOWN_SECONDS if seconds == float("inf") else seconds
