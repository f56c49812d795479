"""The operations of a plan by number, with what fusion has to know about each. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from voxk8s.plan import ResultKey

TASK_SECONDS: Final = 1e-3
"""What a task costs beside its operations."""
STEP_SECONDS: Final = 3e-5
"""What an operation costs inside of a task, beside its kernel."""
CHEAP_SECONDS: Final = 1e-5
"""The cost of a cheap operation that was never measured."""
UNKNOWN_SECONDS: Final = 1.0
"""What an operation of unknown cost is taken to need, for the length of chains only."""


@dataclass(slots=True)
class NumberedGroup:
    """The numbers of a group's members and exports, in topological order."""

    members: list[int]
    exports: list[int]
    seconds: float


@dataclass(frozen=True, slots=True)
class FusionGraph:
    """Operations by number, in topological order.

    `needs` are the arguments that are operations; known results have numbers from `count` on and
    are in `fetches`. `seconds` is infinite for operations of unknown cost.
    """

    count: int
    needs: list[list[int]]
    fetches: dict[int, list[int]]
    seconds: list[float]
    large: bytearray
    """1 for operations whose value may be an image."""
    targets: bytearray
    total_seconds: float
    """The sum of all known costs."""
    has_images: bool
    """Whether any value, known results included, may be an image."""

    @classmethod
    def create(
        cls,
        order: Sequence[ResultKey],
        arguments: Mapping[ResultKey, Sequence[ResultKey]],
        known: Collection[ResultKey],
        cheap: Collection[ResultKey],
        small: Collection[ResultKey],
        targets: Collection[ResultKey],
        seconds: Mapping[ResultKey, float],
    ) -> FusionGraph:
        """Return the graph of the operations in `order`; see `fuse` and `OperationTraits`."""
        count = len(order)
        numbers = {key: number for number, key in enumerate(order)}
        find = numbers.get
        needs = [
            [found for found in map(find, arguments[key]) if found is not None] for key in order
        ]
        fetches: dict[int, list[int]] = {}
        if known:
            images: dict[ResultKey, int] = {}
            for number, key in enumerate(order):
                read = [
                    images.setdefault(argument, count + len(images))
                    for argument in arguments[key]
                    if argument in known and argument not in small
                ]
                if read:
                    fetches[number] = read
        unknown = float("inf")
        costs = [
            seconds.get(key, CHEAP_SECONDS if key in cheap else unknown) + STEP_SECONDS
            for key in order
        ]
        large = bytearray(key not in small for key in order)
        return cls(
            count,
            needs,
            fetches,
            costs,
            large,
            bytearray(key in targets for key in order),
            sum(cost for cost in costs if cost != unknown),
            any(large) or bool(fetches),
        )

    def critical_seconds(self, groups: Iterable[NumberedGroup] | None = None) -> float:
        """Return the expected seconds of the longest chain of tasks.

        `groups` are in topological order; without them every operation has a task of its own.
        """
        needs = self.needs
        ends = [0.0] * self.count
        if groups is None:
            for number, cost in enumerate(self.seconds):
                start = 0.0
                for need in needs[number]:
                    if ends[need] > start:
                        start = ends[need]
                if cost > UNKNOWN_SECONDS:
                    cost = UNKNOWN_SECONDS
                ends[number] = start + cost + TASK_SECONDS
            return max(ends)
        for group in groups:
            start = 0.0
            for member in group.members:
                for need in needs[member]:
                    if ends[need] > start:
                        start = ends[need]
            end = start + min(group.seconds, UNKNOWN_SECONDS) + TASK_SECONDS
            for member in group.exports:
                ends[member] = end
        return max(ends)

    def depth_first(self, group: NumberedGroup) -> list[int]:
        """Return the members of a group in an order that holds few images at once."""
        members = group.members
        if len(members) < 4 or not self.has_images:
            return members
        if not any(self.large[member] for member in members):
            return members
        inside = set(members)
        ordered: list[int] = []
        for export in group.exports:
            if export not in inside:
                continue
            inside.discard(export)
            stack = [(export, iter(self.needs[export]))]
            while stack:
                member, rest = stack[-1]
                for need in rest:
                    if need in inside:
                        inside.discard(need)
                        stack.append((need, iter(self.needs[need])))
                        break
                else:
                    stack.pop()
                    ordered.append(member)
        return ordered
