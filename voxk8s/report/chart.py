"""The timeline as coordinates of an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voxk8s.report import formatting
from voxk8s.report.run_data import Operation
from voxk8s.report.timeline import Bar, timeline

MOST_BARS: Final = 5000
MOST_ROWS: Final = 200
COLOURS: Final = 9
"""Number of kernels with a colour of their own; the others share one."""
WIDTH: Final = 1000
LEFT: Final = 130
RIGHT: Final = 60
TOP: Final = 20
ROW: Final = 14
_LEAST_WIDTH: Final = 0.6
_NAME: Final = 20


@dataclass(frozen=True, slots=True)
class Box:
    """A bar on the chart; `colour` is the number of its kernel's class.

    An operation in it has failed if `failed`.
    """

    x: str
    y: int
    width: str
    colour: int
    title: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """A text on the chart; `title` has the whole text if it was cut."""

    x: str
    y: int
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """The content of an SVG of `width` and `height`."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    workers: tuple[Label, ...]
    ticks: tuple[Label, ...]
    legend: tuple[tuple[int, str], ...]
    rows: int
    omitted: int


def chart(
    operations: Sequence[Operation], begin: float, end: float, kernels: Sequence[str]
) -> Chart:
    """Lay out operations between two times; the first of `kernels` get colours of their own."""
    line = timeline(operations, begin, end, most_bars=MOST_BARS, most_rows=MOST_ROWS)
    colours = {kernel: number for number, kernel in enumerate(kernels[:COLOURS], 1)}
    scale = WIDTH / line.seconds
    boxes = [
        Box(
            _number(LEFT + bar.start * scale),
            TOP + number * ROW,
            _number(max(_LEAST_WIDTH, (bar.end - bar.start) * scale)),
            colours.get(bar.kernel, 0),
            _title(bar),
            bar.failed,
        )
        for number, row in enumerate(line.rows)
        for bar in row.bars
    ]
    used = {box.colour for box in boxes}
    legend = [(number, kernel) for kernel, number in colours.items() if number in used]
    if 0 in used:
        legend.append((0, "other kernels"))
    return Chart(
        LEFT + WIDTH + RIGHT,
        TOP + len(line.rows) * ROW + 4,
        tuple(boxes),
        tuple(
            Label(
                "0",
                TOP + number * ROW + ROW - 4,
                formatting.cut(_name(row.worker), _NAME),
                row.worker,
            )
            for number, row in enumerate(line.rows)
            if row.first
        ),
        tuple(
            Label(_number(LEFT + tick * scale), TOP - 7, formatting.duration(tick))
            for tick in line.ticks
        ),
        tuple(legend),
        len(line.rows),
        line.omitted,
    )


def _name(worker: str) -> str:
    """Return the label of a worker; short names get the prefix `worker`."""
    if not worker:
        return "this process"
    return worker if len(worker) > _NAME - len("worker ") else f"worker {worker}"


def _title(bar: Bar) -> str:
    start = f"from {formatting.duration(bar.start)}"
    only = bar.operation
    failed = ", failed" if bar.failed else ""
    if only is None:
        return (
            f"{bar.count} operations, {formatting.duration(bar.seconds)} {start}: {bar.kernel} most"
            f"{', some failed' if bar.failed else ''}"
        )
    tries = f", {only.attempts} attempts" if only.attempts > 1 else ""
    return (
        f"{only.kernel} {only.operation[:12]}: {formatting.duration(only.seconds)}"
        f" {start}{tries}{failed}"
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
