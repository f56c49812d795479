"""How seconds and sizes spread within each kernel: quartiles, and box plots as SVG coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from voxk8s.report import formatting
from voxk8s.report.run_data import Operation

MOST_KERNELS: Final = 20
WIDTH: Final = 560
LEFT: Final = 170
RIGHT: Final = 30
TOP: Final = 20
ROW: Final = 20
_MOST_TICKS: Final = 6
_LEAST_SECONDS: Final = 1e-6
"""The left end of the scale: shorter times are those of the clock."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Least value, quartiles and largest value of the operations of one kernel."""

    kernel: str
    count: int
    least: float
    lower: float
    middle: float
    upper: float
    most: float


@dataclass(frozen=True, slots=True)
class Box:
    """One row of a plot: the ends of the line, those of the box, and the median; pixels."""

    y: int
    ends: tuple[str, str]
    box: tuple[str, str]
    middle: str
    title: str
    spread: Spread


@dataclass(frozen=True, slots=True)
class BoxPlot:
    """A plot of one measure on a logarithmic scale; `text_of` shows a value of it."""

    name: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    ticks: tuple[tuple[str, str], ...]
    text_of: Callable[[float], str]


def box_plots(operations: Iterable[Operation], kernels: Sequence[str]) -> tuple[BoxPlot, ...]:
    """Return a plot of seconds and one of sizes of values, for the first of `kernels`.

    Operations that failed, or that another run computed, do not count.
    """
    found: dict[str, list[Operation]] = {kernel: [] for kernel in kernels[:MOST_KERNELS]}
    for each in operations:
        if each.kernel in found and not (each.failed or each.found):
            found[each.kernel].append(each)
    return tuple(
        plot
        for plot in (
            _plot(
                "seconds",
                found,
                lambda each: each.seconds,
                (10, _LEAST_SECONDS),
                formatting.duration,
            ),
            _plot("size of the value", found, lambda each: each.bytes, (32, 1), _size),
        )
        if plot is not None
    )


def spread(kernel: str, values: Sequence[float]) -> Spread:
    """Return the quartiles of at least one value, interpolated as numpy.quantile does it."""
    first = values[0]
    lower, middle, upper = (
        quantiles(values, n=4, method="inclusive") if len(values) > 1 else [first] * 3
    )
    return Spread(kernel, len(values), min(values), lower, middle, upper, max(values))


def _plot(
    name: str,
    operations: dict[str, list[Operation]],
    value_of: Callable[[Operation], float],
    scale: tuple[int, float],
    text_of: Callable[[float], str],
) -> BoxPlot | None:
    """Lay one measure out; `scale` is the factor from mark to mark, and the least value."""
    base, least = scale
    spreads = [
        spread(kernel, list(map(value_of, those))) for kernel, those in operations.items() if those
    ]
    if not any(each.most > 0 for each in spreads):
        return None

    def marks(value: float) -> float:
        # Rounded: the logarithm of a mark may lie beside its number.
        return round(math.log(max(least, value), base), 9)

    low = math.floor(marks(min(each.least for each in spreads)))
    high = max(low + 1, math.ceil(marks(max(each.most for each in spreads))))

    def x(value: float) -> float:
        return LEFT + (max(marks(value), low) - low) / (high - low) * WIDTH

    step = -(-(high - low) // _MOST_TICKS)
    return BoxPlot(
        name,
        LEFT + WIDTH + RIGHT,
        TOP + len(spreads) * ROW + 4,
        tuple(_box(number, each, x, text_of) for number, each in enumerate(spreads)),
        tuple(
            (f"{x(float(base) ** n):.1f}", text_of(float(base) ** n))
            for n in range(low, high + 1, step)
        ),
        text_of,
    )


def _box(
    number: int, each: Spread, x: Callable[[float], float], text_of: Callable[[float], str]
) -> Box:
    left, right = x(each.lower), x(each.upper)
    return Box(
        TOP + number * ROW,
        (f"{x(each.least):.1f}", f"{x(each.most):.1f}"),
        (f"{left:.1f}", f"{max(1.0, right - left):.1f}"),
        f"{x(each.middle):.1f}",
        f"{each.kernel}, {each.count} operations: median {text_of(each.middle)},"
        f" half from {text_of(each.lower)} to {text_of(each.upper)},"
        f" all from {text_of(each.least)} to {text_of(each.most)}",
        each,
    )


def _size(value: float) -> str:
    return formatting.size(round(value))
