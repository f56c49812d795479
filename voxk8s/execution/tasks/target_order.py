"""The order of targets: those with the longest chains of tasks below them come first. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import log2
from typing import Final, TypeVar

from voxk8s.costs.critical_path import chain_seconds, finite

SHARES: Final = 32
"""A chain shorter than this part of all work cannot hold up the end of a run."""
K = TypeVar("K")


def longest_first(
    targets: Sequence[K], needs: Mapping[K, Collection[K]], seconds: Mapping[K, float]
) -> list[K]:
    """Return the targets, those first that would hold up the end of the run.

    A long chain that starts last runs alone, while all other threads wait. Chains of similar length
    stay in their order, so that targets which share images remain together.
    """
    if len(targets) < 2:
        return list(targets)
    ends = chain_seconds(needs, seconds)
    share = sum(map(finite, seconds.values())) / SHARES

    longest = max(ends[target] for target in targets)

    def rank(target: K) -> int:
        # Half as long, a quarter as long, and so on; what is short comes last.
        return int(log2(longest / ends[target])) if ends[target] > share > 0 else SHARES

    return sorted(targets, key=rank)
