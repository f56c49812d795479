"""The order of targets, and of what tasks need: the longest chains of tasks come first. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import log2
from typing import Final, TypeVar

from voxk8s.costs.critical_path import chain_seconds, finite

SHARES: Final = 32
"""A chain shorter than this part of all work cannot hold up the end of a run."""
K = TypeVar("K")


def longest_first(
    targets: Sequence[K], needs: Mapping[K, Collection[K]], seconds: Mapping[K, float]
) -> tuple[list[K], dict[K, Collection[K]]]:
    """Return targets and needs, those first that would hold up the end of the run.

    A long chain that starts last runs alone, while all other threads wait, whether its end is a
    target itself or one of the things that the only target needs. Chains of similar length, and all
    short ones, stay in their order, so that what shares images remains together.

    A depth-first walk holds the value of a need while it computes those that follow. A need that
    comes earlier than it did is one more such value, so few may: in a tree the chains of those that
    are held at a time have no task in common, each is longer than its share of all work, and there
    are fewer than `SHARES` of them, however large the plan is.
    """
    ends = chain_seconds(needs, seconds)
    share = sum(map(finite, seconds.values())) / SHARES

    def ordered(keys: Collection[K]) -> Collection[K]:
        if len(keys) < 2:
            return keys
        lengths = [ends.get(key, 0.0) for key in keys]
        longest = max(lengths)
        if longest <= share:
            return keys
        # Half as long, a quarter as long, and so on; what is short comes last.
        ranks = [int(log2(longest / each)) if each > share > 0 else SHARES for each in lengths]
        return _sorted(keys, ranks)

    return list(ordered(targets)), {key: ordered(below) for key, below in needs.items()}


def _sorted(keys: Iterable[K], ranks: Iterable[int]) -> list[K]:
    pairs = sorted(zip(ranks, keys, strict=True), key=lambda pair: pair[0])
    return [key for _, key in pairs]
