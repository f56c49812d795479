"""The part of the status that the runner's field manager owns, and its progress text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from voxk8s.api import status
from voxk8s.api.status_limits import bound_failures, bound_results
from voxk8s.api.workplan import encode

RUNNER_FIELDS: Final = (
    "operations",
    "progress",
    "estimated_completion_time",
    "results",
    "results_omitted",
    "failures",
    "failures_omitted",
    "skipped_items",
    "skipped_items_omitted",
    "outcome",
    "waiting",
    "report",
    "run_url",
)
"""Fields of WorkPlanStatus that the runner's field manager owns; the operator owns the others."""


def encode_runner_status(
    *,
    operations: status.OperationCounts | None = None,
    progress: str | None = None,
    estimated_completion_time: datetime | None = None,
    results: Sequence[status.GoalResult] | None = None,
    failures: Sequence[status.OperationFailure] | None = None,
    skipped: Sequence[status.SkippedItem] = (),
    outcome: status.Outcome | None = None,
    waiting: status.Waiting | None = None,
    run_url: str = "",
    report_url: str = "",
) -> dict[str, Any]:
    """Return the runner's part of the status as JSON data, with results and failures bounded.

    Server-side apply removes the fields that are left out, if they were there before.
    """
    shown_results, results_omitted = (None, 0) if results is None else bound_results(results)
    shown_failures, failures_omitted = (None, 0) if failures is None else bound_failures(failures)
    shown_items, items_omitted = bound_failures(skipped)
    return encode(
        status.WorkPlanStatus(
            operations=operations,
            progress=progress,
            estimated_completion_time=estimated_completion_time,
            results=shown_results,
            results_omitted=results_omitted or None,
            failures=shown_failures,
            failures_omitted=failures_omitted or None,
            skipped_items=shown_items or None,
            skipped_items_omitted=items_omitted or None,
            outcome=outcome,
            waiting=waiting,
            run_url=run_url or None,
            report=status.ReportStatus(url=report_url) if report_url else None,
        )
    )


def progress_text(before: str | None, done: int, total: int) -> str:
    """Return finished and total operations as `12/40`.

    Never less than `before`, the previous text: after a restart results that were not stored have
    to be computed again, but users should not see the progress decrease.
    """
    best = max(done, parse_finished(before))
    return f"{min(best, total)}/{total}"


def parse_finished(progress: str | None) -> int:
    """Return the number of finished operations in a progress text; 0 if it has none."""
    done = (progress or "").partition("/")[0]
    return int(done) if done.isascii() and done.isdigit() else 0
