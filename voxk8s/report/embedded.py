"""What programs read of a report: the run in short, and the operations that only a search shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec

from voxk8s.report import formatting
from voxk8s.report.run_data import Count, Counts, Goal, InputFile, KernelTotal, Operation, Run

FORMAT = 1
_PROGRAM = 60_000
_NAME = 120


class GoalSummary(msgspec.Struct, frozen=True):
    """An output of a run."""

    name: str
    kind: str
    value: str = ""
    digest: str = ""
    size: Count = 0
    content: str = ""
    known: bool = False
    error: str = ""


class Summary(msgspec.Struct, frozen=True):
    """A run in short, to be compared with another one; `omitted` goals are not in it."""

    format: int
    title: str
    started: float
    seconds: float
    outcome: str
    counts: Counts
    program: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    inputs: tuple[InputFile, ...] = ()
    goals: tuple[GoalSummary, ...] = ()
    kernels: tuple[KernelTotal, ...] = ()
    omitted: Count = 0


def summary_of(
    run: Run, goals: Sequence[Goal], kernels: Sequence[KernelTotal], limit: int
) -> Summary:
    """Return a run in short; values and errors have at most `limit` characters."""
    return Summary(
        FORMAT,
        formatting.cut(run.title, _NAME),
        run.started,
        run.seconds,
        run.outcome,
        run.counts,
        formatting.cut(run.program, _PROGRAM),
        run.parameters,
        run.versions,
        run.facts,
        run.inputs[:1000],
        tuple(
            GoalSummary(
                formatting.cut(each.name, _NAME),
                each.kind,
                formatting.cut(each.value, limit),
                each.digest,
                each.size,
                "" if each.preview is None else formatting.cut(each.preview.caption, 2 * _NAME),
                each.known,
                formatting.cut(each.error, limit),
            )
            for each in goals
        ),
        tuple(kernels),
        len(run.goals) - len(goals),
    )


def listed_operations(
    run: Run, shown: Sequence[Operation], most: int
) -> Mapping[str, Sequence[object] | int]:
    """Return up to `most` operations: those `shown` in lines of their own, then the longest others.

    Texts that repeat are in `texts`; rows refer to them by index: operation, kernel, seconds,
    bytes, seconds from the start, worker, notes, place, and the node of the graph or -1. `shown`
    is how many rows have lines, `total` how many operations the run had.
    """
    lines = set(map(id, shown))
    others = [each for each in run.operations if id(each) not in lines]
    others.sort(key=lambda each: -each.seconds)
    texts: dict[str, int] = {}

    def index(text: str) -> int:
        return texts.setdefault(text, len(texts))

    rows = [
        [
            each.operation[:12],
            index(each.kernel),
            float(f"{each.seconds:.4g}"),
            each.bytes,
            round(each.started - run.started, 4) if each.started else None,
            index(formatting.cut(each.worker, 40)),
            index(notes(each)),
            index(formatting.cut(str(run.places.get(each.operation, "")), 60)),
            _node(run, each),
        ]
        for each in [*shown, *others][:most]
    ]
    total = len(run.operations) + sum(each.count for each in run.folded)
    return {"texts": list(texts), "rows": rows, "shown": len(shown), "total": total}


def _node(run: Run, operation: Operation) -> int:
    found = run.graph.node_of(operation)
    return -1 if found is None else found


def notes(operation: Operation) -> str:
    """Return what is said of an operation beside its numbers."""
    state = "stored" if operation.stored else ""
    if operation.found:
        state = "computed by another run"
    elif operation.failed:
        state = "failed"
    tries = f"after {operation.attempts} attempts" if operation.attempts > 1 else ""
    return f"{state} {tries}".strip()


def as_json(value: object) -> str:
    """Return JSON in ASCII for an element of a page, without credentials and without `<`."""
    data = _clean(msgspec.to_builtins(value))
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _clean(value: object) -> object:
    if isinstance(value, str):
        return formatting.clean(value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
