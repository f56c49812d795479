"""How many values an order of tasks holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

K = TypeVar("K")


def peak_values(needs: Mapping[K, Collection[K]], order: Sequence[K]) -> int:
    """Return the largest number of values that wait for their last use."""
    last_use = {need: key for key in order for need in needs[key]}
    live: set[K] = set()
    peak = 0
    for key in order:
        if key in last_use:
            live.add(key)
        peak = max(peak, len(live))
        live -= {need for need in needs[key] if last_use[need] == key}
    return peak
