"""The work of a plan by expected costs, and how many threads it keeps busy. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from voxk8s.costs.cost_model import CostModel
from voxk8s.costs.critical_path import chain_seconds
from voxk8s.plan import KeyNode, KeyOperation, ResultKey

MIN_SECONDS: Final = 5.0
"""A thread that has less to do is not worth its start: a worker takes as long to come.

Dask's autoscaler aims at the same time (`distributed.adaptive.target-duration`).
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """The expected seconds of some operations.

    `seconds` is the sum of all, `longest` that of the longest chain, in which each needs the one
    before it: no number of threads takes less time than that.
    """

    seconds: float
    longest: float

    def threads(self, width: int) -> int:
        """Return how many threads shorten the work; at most `width` operations run in parallel.

        More than the sum over the longest chain only wait for that chain.
        """
        return min(width, ceil(self.seconds / max(self.longest, MIN_SECONDS)))


def estimate_workload(
    nodes: Mapping[ResultKey, KeyNode], compute: Sequence[ResultKey], model: CostModel
) -> Workload | None:
    """Return the work of the operations in `compute`, each after its arguments.

    None if nothing is known of the cost of one.
    """
    seconds: dict[ResultKey, float] = {}
    for key in compute:
        node = nodes[key]
        if isinstance(node, KeyOperation):
            cost = model.seconds(nodes, node)
            if cost is None:
                return None
            seconds[key] = cost
    ends = chain_seconds({key: nodes[key].arguments for key in seconds}, seconds)
    return Workload(sum(seconds.values()), max(ends.values(), default=0.0))
