"""The trace of a run: one row for each operation, for tables of other programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from voxk8s.execution.result import ExecutionResult, OperationMetrics
from voxk8s.plan import KeyOperation, OperationId
from voxk8s.redact import redact, visible

COLUMNS: Final = (
    "operation",
    "key",
    "kernel",
    "state",
    "start",
    "seconds",
    "bytes",
    "attempts",
    "worker",
    "stored",
    "place",
    "cpu_seconds",
)


def trace(
    result: ExecutionResult, places: Mapping[OperationId, object]
) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each operation that was computed, known or failed, below `COLUMNS`.

    The start is in UTC by ISO 8601, `bytes` is the size of the value in memory, `place` is in the
    program, `cpu_seconds` is the processor time of the thread that called the kernel. Operations
    that failed without a start, such as inputs that could not be read, and those of items that a
    loop went on without, come last.
    """
    graph = result.graph
    if graph is None:
        return
    told = set()
    for key, node in graph.nodes.items():
        metrics = result.by_key.get(key)
        if metrics is None or not isinstance(node, KeyOperation):
            continue
        told.add((node.operation, node.kernel))
        names = (node.location_id, node.operation, graph.source_of(node.operation))
        place = next((places[each] for each in names if each in places), "")
        cpu = "" if metrics.cached or metrics.failed else f"{metrics.cpu_seconds:.6g}"
        yield (node.operation, key, node.kernel, *_numbers(metrics), _text(place), cpu)
    for failure in (*result.failures, *(each.failure for each in result.skipped)):
        if (failure.operation, failure.kernel) in told:
            continue
        told.add((failure.operation, failure.kernel))
        tries = str(failure.attempts)
        rest = ("failed", "", "", "", tries, "", "", _text(failure.place), "")
        yield (failure.operation, "", _text(failure.kernel), *rest)


def _numbers(metrics: OperationMetrics) -> tuple[str, ...]:
    if metrics.cached:
        return ("known", "", "", "", "", "", "")
    start = ""
    if metrics.started > 0:
        start = datetime.fromtimestamp(metrics.started, UTC).isoformat(timespec="milliseconds")
    return (
        "failed" if metrics.failed else "computed",
        start,
        f"{metrics.seconds:.6g}",
        str(metrics.bytes),
        str(metrics.attempts),
        _text(metrics.worker),
        "yes" if metrics.stored else "no",
    )


def _text(value: object) -> str:
    return visible(redact(str(value)))
