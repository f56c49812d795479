"""The timeline of a run: one row for each busy thread, one bar for each operation.

Operations do not record their thread. Operations of one worker that overlap are placed on separate
rows, which gives one row for each busy thread.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from voxk8s.report.run_data import Operation

_OVERLAP: Final = 1e-3
"""Seconds by which operations of one thread may appear to overlap: clocks are adjusted."""
_STEPS: Final = (
    *(digit * 10.0**power for power in range(-7, 1) for digit in (1, 2, 5)),
    *(10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0),
    *(hours * 3600.0 for hours in (1, 2, 4, 6, 12, 24)),
)
_FINEST: Final = 1 / 2000
"""Bars narrower than this fraction of the timeline are merged with their neighbours."""


@dataclass(slots=True)
class Bar:
    """One operation, or several that are too short to be shown; seconds since the start."""

    start: float
    end: float
    seconds: float
    kernels: dict[str, float]
    count: int = 1
    operation: Operation | None = None
    failed: bool = False

    @property
    def kernel(self) -> str:
        """The kernel with most of the time."""
        return max(self.kernels, key=lambda name: (self.kernels[name], name))

    def takes(self, start: float, end: float, finest: float) -> bool:
        """Whether another bar can be merged: both are narrow, and so is the gap."""
        return end - start < finest and start - self.end < finest and self.end - self.start < finest

    def join(self, other: Bar) -> None:
        """Merge a bar that does not begin earlier."""
        self.end = max(self.end, other.end)
        self.seconds += other.seconds
        self.count += other.count
        self.failed = self.failed or other.failed
        for kernel, seconds in other.kernels.items():
            self.kernels[kernel] = self.kernels.get(kernel, 0.0) + seconds
        self.operation = None


@dataclass(frozen=True, slots=True)
class Row:
    """A thread of a worker; `first` marks the first row of a worker."""

    worker: str
    first: bool
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows in the order in which workers began; `omitted` counts the rows left out."""

    begin: float
    seconds: float
    rows: tuple[Row, ...] = ()
    omitted: int = 0
    ticks: tuple[float, ...] = field(default=())


def timeline(
    operations: Sequence[Operation], begin: float, end: float, *, most_bars: int, most_rows: int
) -> Timeline:
    """Lay out operations between two times; extended where the clocks of workers differ."""
    timed = sorted(
        (each for each in operations if each.started > 0 and not each.found),
        key=lambda each: each.started,
    )
    if timed:
        begin = min(begin, timed[0].started)
        end = max(end, *(each.started + each.seconds for each in timed))
    seconds = max(end - begin, 1e-6)
    lanes = [
        (worker, number == 0, lane)
        for worker, lanes in _workers(timed).items()
        for number, lane in enumerate(_lanes(lanes))
    ]
    shown = lanes[:most_rows]
    finest = seconds * _FINEST
    rows = [_joined((_bar(each, begin) for each in lane), finest) for _, _, lane in shown]
    while sum(map(len, rows)) > most_bars:
        finest *= 2
        rows = [_joined(bars, finest) for bars in rows]
    return Timeline(
        begin,
        seconds,
        tuple(
            Row(worker, first, tuple(bars))
            for (worker, first, _), bars in zip(shown, rows, strict=True)
        ),
        len(lanes) - len(shown),
        _ticks(seconds),
    )


def _workers(timed: Sequence[Operation]) -> Mapping[str, list[Operation]]:
    workers: dict[str, list[Operation]] = {}
    for each in timed:
        workers.setdefault(each.worker, []).append(each)
    return workers


def _lanes(timed: Sequence[Operation]) -> list[list[Operation]]:
    """Distribute operations over the fewest rows: each goes to the first free row."""
    lanes: list[list[Operation]] = []
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    for each in timed:
        while busy and busy[0][0] <= each.started + _OVERLAP:
            heappush(free, heappop(busy)[1])
        if not free:
            free.append(len(lanes))
            lanes.append([])
        lane = heappop(free)
        lanes[lane].append(each)
        heappush(busy, (each.started + each.seconds, lane))
    return lanes


def _bar(operation: Operation, begin: float) -> Bar:
    start = operation.started - begin
    sums = {operation.kernel: operation.seconds}
    return Bar(
        start,
        start + operation.seconds,
        operation.seconds,
        sums,
        operation=operation,
        failed=operation.failed,
    )


def _joined(bars: Iterable[Bar], finest: float) -> list[Bar]:
    """Merge bars of one row that are too narrow to be shown."""
    joined: list[Bar] = []
    last = None
    for bar in bars:
        if last is not None and last.takes(bar.start, bar.end, finest):
            last.join(bar)
        else:
            last = bar
            joined.append(bar)
    return joined


def _ticks(seconds: float) -> tuple[float, ...]:
    """Return 0 and up to ten round times."""
    days = math.ceil(seconds / 10 / 86_400) * 86_400.0
    step = next((step for step in _STEPS if seconds / step <= 10), days)
    return tuple(step * number for number in range(int(seconds / step) + 1))
