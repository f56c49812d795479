"""Recorded costs: the mean seconds of each kernel by the size of its arguments. Pure.

Sizes are grouped by powers of two, the unit is that of the caller. Both the number of entries and
the weight of what is old are bounded, so costs follow the machines that runs use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

MAX_ENTRIES = 4096
"""Kernels and sizes that are remembered; those that were measured last are kept."""
MAX_WEIGHT = 64.0
"""A mean counts at most as much as this many new calls."""
MAX_DISTANCE = 4
"""Costs of other sizes are used up to this power of two."""
_DAY_SECONDS = 86_400


class Cost(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The mean of `calls` calls: seconds of a call, and voxels of its largest image.

    `calls` is a weight and need not be whole; `day` is that of the last call, since 1970.
    """

    calls: float
    seconds: float
    voxels: float = 0.0
    day: int = 0

    def combined(self, other: Cost) -> Cost:
        """Return the mean of both."""
        calls = self.calls + other.calls
        if calls <= 0:
            return self
        share = other.calls / calls
        return Cost(
            min(calls, MAX_WEIGHT),
            self.seconds + (other.seconds - self.seconds) * share,
            self.voxels + (other.voxels - self.voxels) * share,
            max(self.day, other.day),
        )

    @property
    def is_valid(self) -> bool:
        """Whether all numbers are finite and not negative."""
        return all(0 <= each < 1e18 for each in (self.calls, self.seconds, self.voxels, self.day))


Entries = dict[str, dict[int, Cost]]
"""Costs by kernel and size class."""


def size_class(size: int) -> int:
    """Return the class of a size: 0 for 0, else one more than its logarithm to the base 2."""
    return size.bit_length()


class KernelCosts:
    """Costs by kernel and size; immutable."""

    def __init__(self, entries: Mapping[str, Mapping[int, Cost]] | None = None) -> None:
        self._entries: Entries = {
            kernel: dict(costs) for kernel, costs in (entries or {}).items() if costs
        }

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KernelCosts) and self._entries == other._entries

    __hash__ = None  # type: ignore[assignment]  # compared by value

    def find(self, kernel: str, size: int) -> Cost | None:
        """Return the cost of a kernel on arguments of a size, or None if it was never measured.

        Where only other sizes were measured, the cost of the nearest one is scaled: the seconds of
        a larger size in proportion, those of a smaller one not at all.
        """
        costs = self._entries.get(kernel)
        if costs is None:
            return None
        wanted = size_class(size)
        exact = costs.get(wanted)
        if exact is not None:
            return exact
        nearest = min(costs, key=lambda each: abs(each - wanted))
        if abs(nearest - wanted) > MAX_DISTANCE or not wanted:
            return None
        found = costs[nearest]
        factor = 2.0 ** (wanted - nearest)
        return Cost(found.calls, found.seconds * max(factor, 1.0), found.voxels * factor, found.day)

    def merged(self, other: KernelCosts) -> KernelCosts:
        """Return the costs of both, bounded in number."""
        entries: Entries = {kernel: dict(costs) for kernel, costs in self._entries.items()}
        for kernel, size, cost in other:
            held = entries.setdefault(kernel, {})
            held[size] = held[size].combined(cost) if size in held else cost
        return KernelCosts(_youngest(entries))

    def __iter__(self) -> Iterator[tuple[str, int, Cost]]:
        """Iterate over kernels, size classes and costs."""
        for kernel, costs in self._entries.items():
            for size, cost in costs.items():
                yield kernel, size, cost

    def to_wire(self) -> dict[str, dict[str, Cost]]:
        """Return what is written as JSON."""
        return {
            kernel: {str(size): cost for size, cost in costs.items()}
            for kernel, costs in self._entries.items()
        }

    @classmethod
    def from_wire(cls, entries: Mapping[str, Mapping[str, Cost]]) -> KernelCosts:
        """Return the costs of `to_wire`, without entries that cannot be."""
        return cls(
            {
                kernel: {
                    int(size): cost
                    for size, cost in costs.items()
                    if size.isdecimal() and len(size) < 3 and cost.is_valid
                }
                for kernel, costs in entries.items()
            }
        )


class CostRecorder:
    """Collects the seconds of the calls of one run; `costs` are their means.

    Of several calls on one size the slowest does not count: it may be the first one of a process,
    which imports or compiles. A single call counts little for the same reason.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int], list[float]] = {}

    def add(self, kernel: str, size: int, seconds: float, voxels: int = 0) -> None:
        """Record a call."""
        place = (kernel, size_class(size))
        entry = self._sums.get(place)
        if entry is None:
            self._sums[place] = [1, seconds, seconds, voxels]
            return
        entry[0] += 1
        entry[1] += seconds
        if seconds > entry[2]:
            entry[2] = seconds
        if voxels > entry[3]:
            entry[3] = voxels

    @property
    def seconds(self) -> float:
        """The sum of all calls."""
        return sum(entry[1] for entry in self._sums.values())

    def costs(self, now: float) -> KernelCosts:
        """Return the means; `now` is in seconds since 1970."""
        day = int(now // _DAY_SECONDS)
        entries: Entries = {}
        for (kernel, size), (calls, total, slowest, voxels) in self._sums.items():
            mean = total if calls == 1 else (total - slowest) / (calls - 1)
            weight = 0.25 if calls == 1 else min(calls - 1, MAX_WEIGHT)
            entries.setdefault(kernel, {})[size] = Cost(weight, mean, voxels, day)
        return KernelCosts(entries)

    def clear(self) -> None:
        """Forget what was recorded."""
        self._sums.clear()


def _youngest(entries: Entries) -> Entries:
    """Return the entries that are kept when there are too many."""
    rows = [
        (cost.day, kernel, size)
        for kernel, costs in entries.items()
        for size, cost in costs.items()
    ]
    if len(rows) <= MAX_ENTRIES:
        return entries
    rows.sort(reverse=True)
    kept: Entries = {}
    for _, kernel, size in rows[:MAX_ENTRIES]:
        kept.setdefault(kernel, {})[size] = entries[kernel][size]
    return kept
