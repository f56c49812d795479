"""Collects the history of a run for its report."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Final, Literal

import msgspec

from voxk8s import constants, report
from voxk8s.execution.result import ExecutionResult
from voxk8s.execution.source_locations import line_at
from voxk8s.history.operation_graph import operation_graph
from voxk8s.history.recorder import Recorder
from voxk8s.plan import OperationId, WorkPlan
from voxk8s.storage import Counts

_LIBRARIES: Final = ("numpy", "SimpleITK", "dask", "distributed")
_WIDEST: Final = 110
_PARTIAL: Final = (
    "This report is partial: the run was stopped before all goals were reached."
    " What it had stored is known to the next run."
)


def collect_run(
    result: ExecutionResult,
    recorder: Recorder,
    *,
    title: str,
    goals: Sequence[report.Goal],
    problems: Sequence[str] = (),
    places: Mapping[OperationId, object] | None = None,
    text_of: Callable[[str], str] = lambda _: "",
    program: str = "",
    facts: Sequence[tuple[str, str]] = (),
    inputs: Sequence[report.InputFile] = (),
    parameters: Sequence[tuple[str, str]] = (),
    repeat: str = "",
    usage: Sequence[report.Usage] = (),
    plan: WorkPlan | None = None,
) -> report.Run:
    """Return what the report of a run shows.

    `problems` are errors of copying files to their destination, and values that are not as
    expected. `program` is the text of the
    program, `places` are the places of operations in it, and `text_of` returns the text of one of
    its files, or an empty string. `repeat` is the command that runs the program again. `plan` is
    what was run: it names operations that never got a result key.
    """
    outcome, message = _end(result, problems)
    places = places or {}
    operations = recorder.operations()
    return report.Run(
        title,
        recorder.started or 0.0,
        recorder.continued + result.execution_time,
        outcome,
        _counts(result),
        message=message,
        goals=tuple(goals),
        failures=result.failures,
        excerpts={each.place: _excerpt(each.place, text_of) for each in result.failures},
        incidents=_skipped(result)
        + _not_finite(result)
        + recorder.incidents()
        + _differences(result),
        operations=operations,
        folded=recorder.folded,
        store=_store_use(result.store),
        places=_places_of(operations, places, result),
        program=program,
        inputs=tuple(inputs),
        graph=_with_lines(operation_graph(result, places, plan=plan, earlier=operations), text_of),
        usage=tuple(usage),
        parameters=tuple(parameters),
        versions=versions(),
        repeat=repeat,
        facts=tuple(facts),
    )


def _places_of(
    operations: Sequence[report.Operation],
    places: Mapping[OperationId, object],
    result: ExecutionResult,
) -> Mapping[OperationId, object]:
    """Return the places of operations; those of a loop are where its body has them."""
    if not places:
        return {}
    graph, found = result.graph, {}
    for each in operations:
        place = places.get(each.operation)
        if place is None and graph is not None:
            place = places.get(graph.source_of(each.operation))
        if place is not None:
            found[each.operation] = place
    return found


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of this package, of Python, and of the libraries that compute."""
    found = [("voxk8s", constants.RELEASE), ("Python", platform.python_version())]
    for name in _LIBRARIES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return (*found, ("system", f"{platform.system()} {platform.machine()}"))


def _end(
    result: ExecutionResult, problems: Sequence[str]
) -> tuple[Literal["succeeded", "failed", "stopped"], str]:
    if result.cancelled:
        return "stopped", _PARTIAL
    failed = sum(not goal.succeeded for goal in result.goals)
    if failed:
        return "failed", " ".join([f"{failed} of {len(result.goals)} goals failed.", *problems])
    return ("failed", " ".join(problems)) if problems else ("succeeded", "")


def _counts(result: ExecutionResult) -> report.Counts:
    progress = result.progress
    return report.Counts(
        total=progress.total,
        known=progress.cached,
        computed=progress.computed,
        failed=progress.failed,
        pending=progress.pending + progress.running,
        unneeded=progress.skipped,
    )


def _store_use(counts: Counts) -> report.StoreUse:
    return report.StoreUse(
        known=counts.known,
        unknown=counts.unknown,
        hits=counts.hits,
        misses=counts.misses,
        created=counts.created,
        existing=counts.existing,
        different=counts.nondeterministic,
        corrupt=counts.corrupt,
        healed=counts.healed,
        requests=counts.requests,
        retries=counts.retries,
        bytes_read=counts.bytes_read,
        bytes_written=counts.bytes_written,
    )


def _excerpt(place: str, text_of: Callable[[str], str]) -> str:
    """Return the line of a place with a mark below its column; empty if it is unknown."""
    line, column = line_at(place, text_of) or ("", 0)
    text = line.rstrip()
    return f"{text}\n{' ' * (column - 1)}^" if text and len(text) <= _WIDEST else text


def _with_lines(graph: report.Graph, text_of: Callable[[str], str]) -> report.Graph:
    """Return the graph with the line of the program at each node."""

    def text(place: str) -> str:
        # Operations of one line may share no column.
        found = line_at(place, text_of) or line_at(f"{place}:1", text_of)
        return "" if found is None else found[0].strip()

    nodes = [msgspec.structs.replace(each, code=text(each.place)) for each in graph.nodes]
    return msgspec.structs.replace(graph, nodes=tuple(nodes))


def _skipped(result: ExecutionResult) -> tuple[report.Incident, ...]:
    return tuple(
        report.Incident("an item of a loop was skipped", f"{each.item}: {each.failure}")
        for each in result.skipped
    )


def _not_finite(result: ExecutionResult) -> tuple[report.Incident, ...]:
    return tuple(report.Incident("a result is not finite", str(each)) for each in result.not_finite)


def _differences(result: ExecutionResult) -> tuple[report.Incident, ...]:
    return tuple(
        report.Incident(
            "another value than the store had, or none any more", f"operation {operation}"
        )
        for operation in result.nondeterministic
    )
