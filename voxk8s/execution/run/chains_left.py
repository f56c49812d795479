"""The longest chain of tasks that is left in a run. No I/O."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from voxk8s.costs.critical_path import finite
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.plan import KeyNode, ResultKey


class ChainsLeft:
    """The tasks that have not ended, by the expected seconds from their start to the last goal.

    A task counts as ended with its last operation. All takes time in proportion to the tasks.
    """

    def __init__(self) -> None:
        self._left: set[ResultKey] = set()
        self._longest: list[tuple[float, ResultKey]] = []

    def add(self, nodes: Mapping[ResultKey, KeyNode], groups: Sequence[FusionGroup]) -> None:
        """Add tasks, given in topological order."""
        after: dict[ResultKey, float] = {}
        for group in reversed(groups):
            if not group.members:
                continue
            seconds = finite(group.seconds) + max(
                [after.get(key, 0.0) for key in group.exports], default=0.0
            )
            for key in group.members:
                for argument in nodes[key].arguments:
                    if after.get(argument, 0.0) < seconds:
                        after[argument] = seconds
            last = group.members[-1]
            self._left.add(last)
            heapq.heappush(self._longest, (-seconds, last))

    def ended(self, key: ResultKey) -> None:
        """Record that an operation has ended."""
        self._left.discard(key)

    def seconds(self) -> float:
        """Return the seconds of the longest chain of tasks that have not ended."""
        longest = self._longest
        while longest and longest[0][1] not in self._left:
            heapq.heappop(longest)
        return -longest[0][0] if longest else 0.0
