"""Processor time, memory and workers over time as coordinates of an SVG below the timeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from voxk8s.report import formatting
from voxk8s.report.chart import LEFT, RIGHT, WIDTH
from voxk8s.report.run_data import Usage

HEIGHT: Final = 50
_FEWEST: Final = 2
"""Samples that make a curve."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One measure: its name, its largest value as text, and the path of the area below it."""

    name: str
    most: str
    path: str


@dataclass(frozen=True, slots=True)
class UsageChart:
    """Curves below each other, over the same time as the timeline."""

    width: int
    height: int
    curves: tuple[Curve, ...]
    end: str


def usage_chart(samples: Sequence[Usage], begin: float, end: float) -> UsageChart | None:
    """Lay out what was used between two times; None if there is too little to draw."""
    inside = [each for each in samples if begin <= each.time <= end]
    if len(inside) < _FEWEST:
        return None
    measures: list[tuple[str, Callable[[Usage], float], Callable[[float], str]]] = [
        ("processor cores", lambda each: each.cores, lambda most: f"{most:.1f}"),
        ("memory", lambda each: each.memory, lambda most: formatting.size(round(most))),
    ]
    if len({each.workers for each in inside}) > 1 or inside[0].workers > 1:
        measures.append(("workers", lambda each: each.workers, lambda most: f"{most:.0f}"))
    curves = []
    for name, value_of, text_of in measures:
        values = [value_of(each) for each in inside]
        most = max(values)
        points = [
            (LEFT + (each.time - begin) / (end - begin) * WIDTH, HEIGHT * (1 - value / most))
            for each, value in zip(inside, values, strict=True)
            if most > 0
        ]
        if points:
            line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            path = f"M{points[0][0]:.1f} {HEIGHT}L{line}L{points[-1][0]:.1f} {HEIGHT}Z"
            curves.append(Curve(name, text_of(most), path))
    return UsageChart(
        LEFT + WIDTH + RIGHT,
        len(curves) * (HEIGHT + 12) + 16,
        tuple(curves),
        formatting.duration(end - begin),
    )
