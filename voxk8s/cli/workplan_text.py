"""WorkPlans as text and tables. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime

from voxk8s.api.run_time import active_time, duration_text
from voxk8s.api.status import GoalResult
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cli.time_left import time_left
from voxk8s.describe import as_line, one_line

_HEADER = ("NAME", "STATUS", "PROGRESS", "CACHED", "WORKERS", "DURATION", "AGE")


def table(resources: Sequence[WorkPlanResource], now: datetime, *, namespaces: bool) -> list[str]:
    """Return one line for each WorkPlan, with the columns of `kubectl get`."""
    rows: list[tuple[str, ...]] = [("NAMESPACE", *_HEADER) if namespaces else _HEADER]
    for resource in resources:
        row = _row(resource, now)
        rows.append((resource.metadata.namespace, *row) if namespaces else row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "   ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def details(resource: WorkPlanResource, now: datetime) -> Iterator[str]:
    """Yield the lines that describe one WorkPlan."""
    status = resource.status
    yield f"WorkPlan     {resource.metadata.namespace}/{resource.metadata.name}"
    yield f"status       {headline(resource, now)}"
    if counts := status.operations:
        yield (
            f"operations   {counts.total}: {counts.computed} computed, {counts.cached} known,"
            f" {counts.failed} failed, {counts.running} running, {counts.pending} pending"
        )
    if duration := _duration(resource, now):
        yield f"duration     {duration}"
    if (cluster := status.cluster) and cluster.name:
        yield f"cluster      {cluster.name}, {cluster.workers or 0} workers"
        for group in cluster.worker_groups or ():
            yield f"  group      {group.name}, {group.workers} of {group.desired_workers} workers"
        if cluster.dashboard_url:
            yield f"dashboard    {cluster.dashboard_url}"
    if status.waiting:
        yield f"waiting      {status.waiting.reason}: {status.waiting.message}"
    if status.report and status.report.url:
        yield f"report       {status.report.url}"
    for condition in status.conditions:
        text = f" {condition.message}" if condition.message else ""
        yield f"  {condition.type}={condition.status} {condition.reason}{text}"
    for failure in status.failures or ():
        yield f"  {failure.message}"
    for each in status.skipped_items or ():
        yield f"  {each.item} is skipped: {each.message}"
    for result in status.results or ():
        if result.not_finite:
            yield f"  {result.not_finite}"
    if status.failures_omitted:
        yield f"  and {status.failures_omitted} more failures"
    if status.results is not None:
        reached = len(status.results) + (status.results_omitted or 0)
        yield f"results      {reached} (voxk8s results {resource.metadata.name})"


def headline(resource: WorkPlanResource, now: datetime) -> str:
    """Return phase, progress, time left, reason and message of a WorkPlan in one line."""
    status = resource.status
    if resource.retry_requested:
        return f"{status.phase} before; another run is asked for and has not begun yet"
    parts = [status.phase or "Pending"]
    if status.progress:
        parts.append(status.progress)
    end = status.estimated_completion_time
    if end is not None and not resource.finished:
        left = time_left((end - now).total_seconds())
        parts += [f"({left})"] if left else []
    if status.reason and status.reason != status.phase:
        parts.append(status.reason)
    line = " ".join(parts)
    return f"{line}: {status.message}" if status.message else line


def result_line(result: GoalResult) -> str:
    """Return a result as `name=value`, or `name=URL` for a file."""
    return f"{one_line(result.goal)}={value_text(result)}"


def value_text(result: GoalResult) -> str:
    """Return the value of a result as `voxk8s run` prints it, or the URL of a file."""
    if result.kind == "save":
        return result.url or ""
    return as_line(result.value, limit=sys.maxsize) if result.line is None else result.line


def age(since: datetime | None, now: datetime) -> str:
    """Return the age in the form of kubectl: 5s, 3m, 2h, 4d."""
    if since is None:
        return ""
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _duration(resource: WorkPlanResource, now: datetime) -> str:
    """Return the active time until now or the end; empty before the start."""
    if resource.status.start_time is None:
        return resource.status.duration or ""
    return resource.status.duration or duration_text(active_time(resource, now))


def _row(resource: WorkPlanResource, now: datetime) -> tuple[str, ...]:
    status = resource.status
    workers = status.cluster.workers if status.cluster else None
    return (
        resource.metadata.name,
        status.phase or "Pending",
        status.progress or "",
        "" if status.operations is None else str(status.operations.cached),
        "" if workers is None else str(workers),
        _duration(resource, now),
        age(resource.metadata.creation_timestamp, now),
    )
