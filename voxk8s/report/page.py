"""The page: selects what is shown, within limits, and fills the template."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from voxk8s.content_policy import content_policy
from voxk8s.report.box_plots import box_plots
from voxk8s.report.chart import Chart, chart
from voxk8s.report.embedded import as_json, listed_operations, summary_of
from voxk8s.report.graph_layout import draw_graph
from voxk8s.report.run_data import Goal, KernelTotal, Operation, Run
from voxk8s.report.template import page_text, template
from voxk8s.report.totals import by_kernel, notable
from voxk8s.report.usage_chart import UsageChart, usage_chart

MOST_GOALS: Final = 1000
MOST_FAILURES: Final = 200
MOST_INCIDENTS: Final = 100
MOST_OPERATIONS: Final = 1000
MOST_KERNELS: Final = 200
MOST_INPUTS: Final = 1000
MOST_SEARCHED: Final = 30_000
"""Operations that a search finds and a table for other programs has."""
_TEXT: Final = 120_000
"""Characters of all values, or of all messages, together; each gets at least `_LEAST`."""
_LEAST: Final = 100
_PROGRAM: Final = 60_000
_NAME: Final = 120
_PREVIEWS: Final = 600_000
"""Bytes of all pictures together."""


@dataclass(frozen=True, slots=True)
class Insert:
    """A part that another package has made for the page: trusted HTML elements, style and scripts.

    `policy` are directives that the Content-Security-Policy of the page gets; `note` is a text.
    """

    elements: str
    style: str
    scripts: tuple[str, ...]
    policy: tuple[str, ...]
    note: str = ""


def report(run: Run, layers: Insert | None = None) -> str:
    """Return the page of a run: self-contained HTML, equal for equal runs.

    `layers` shows images of the run below its results.

    Everything is limited, and what is left out is counted: a page of 100,000 operations has less
    than 5 MB.
    """
    style, scripts = page_text("page.css"), [page_text("page.js")]
    policy: Sequence[str] = ["img-src data:"]
    if layers is not None:
        style, scripts, policy = style + layers.style, [*scripts, *layers.scripts], layers.policy
    goals = run.goals[:MOST_GOALS]
    failures = run.failures[:MOST_FAILURES]
    incidents = run.incidents[:MOST_INCIDENTS]
    lines = notable(run.operations, MOST_OPERATIONS)
    totals = by_kernel(run.operations, run.folded)
    value_limit = _share(len(goals))
    return template("page.html").render(
        run=run,
        style=style,
        scripts=scripts,
        policy=content_policy(style, scripts, policy),
        layers=layers,
        goals=goals,
        value_limit=value_limit,
        inputs=run.inputs[:MOST_INPUTS],
        drawing=draw_graph(run.graph),
        usage=_usage(run),
        summary=as_json(summary_of(run, goals, totals[:MOST_KERNELS], value_limit)),
        listed=as_json(listed_operations(run, lines, MOST_SEARCHED)),
        previews=_previews(goals),
        failures=failures,
        message_limit=_share(len(failures) + len(incidents)),
        incidents=incidents,
        name_limit=_NAME,
        program_limit=_PROGRAM,
        totals=totals[:MOST_KERNELS],
        done=sum(total.count for total in totals),
        busy=sum(total.seconds for total in totals),
        widest=totals[0].seconds if totals else 0.0,
        operations=lines,
        rest=_rest(run, lines),
        places={each.operation: str(run.places.get(each.operation, "")) for each in lines},
        chart=_chart(run, totals),
        plots=box_plots(run.operations, [each.kernel for each in totals]),
    )


def _chart(run: Run, totals: Sequence[KernelTotal]) -> Chart | None:
    if not any(each.started > 0 and not each.found for each in run.operations):
        return None
    return chart(
        run.operations, run.started, run.started + run.seconds, [each.kernel for each in totals]
    )


def _usage(run: Run) -> UsageChart | None:
    return usage_chart(run.usage, run.started, run.started + run.seconds)


def _rest(run: Run, lines: Sequence[Operation]) -> tuple[KernelTotal, ...]:
    """Return the totals of operations without a line of their own."""
    if len(lines) == len(run.operations):
        return by_kernel((), run.folded)[:MOST_KERNELS]
    shown = set(map(id, lines))
    others = (each for each in run.operations if id(each) not in shown)
    return by_kernel(others, run.folded)[:MOST_KERNELS]


def _previews(goals: Sequence[Goal]) -> Mapping[int, str]:
    """Return pictures as data: URLs by the index of their goal, up to a total size."""
    left = _PREVIEWS
    found: dict[int, str] = {}
    for number, goal in enumerate(goals):
        picture = goal.preview
        if picture is not None and len(picture.data) <= left:
            left -= len(picture.data)
            data = base64.b64encode(picture.data).decode()
            found[number] = f"data:{picture.media_type};base64,{data}"
    return found


def _share(count: int) -> int:
    return max(_LEAST, min(8000, _TEXT // max(1, count)))
