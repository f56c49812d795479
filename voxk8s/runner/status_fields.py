"""Converts the engine's result to fields of the status. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import msgspec

from voxk8s import constants
from voxk8s.api.runner_status import encode_runner_status
from voxk8s.api.status import (
    GoalResult,
    KernelWork,
    OperationCounts,
    OperationFailure,
    Outcome,
    SkippedItem,
    StoreCounts,
)
from voxk8s.api.status_limits import json_value, printed_line, truncate_value
from voxk8s.api.workplan import encode
from voxk8s.errors import PermanentError
from voxk8s.execution import ExecutionResult
from voxk8s.execution.events import Progress
from voxk8s.execution.result import GoalOutcome
from voxk8s.failure import Failure
from voxk8s.plan.expectation import describe_differences

_MESSAGE_LIMIT = 4000
_MAX_KEYS = 16
_MAX_KERNELS = 50
_MAX_NAMES = 10


def goal_results(goals: Sequence[GoalOutcome], *, whole: bool = False) -> list[GoalResult]:
    """Return the results of the goals that were reached; unless `whole`, values are truncated."""
    return [_result(goal, whole) for goal in goals if goal.succeeded]


def _with_warnings(results: list[GoalResult], result: ExecutionResult) -> list[GoalResult]:
    """Return results with what is said of those that are not finite."""
    said = {each.goal: _truncate(str(each)) for each in result.not_finite}
    if not said:
        return results
    return [msgspec.structs.replace(each, not_finite=said.get(each.goal)) for each in results]


def operation_failures(failures: Sequence[Failure]) -> list[OperationFailure]:
    """Return the failures, with bounded messages."""
    return [
        OperationFailure(
            operation=failure.operation, kernel=failure.kernel, message=_truncate(str(failure))
        )
        for failure in failures
    ]


def skipped_items(result: ExecutionResult) -> list[SkippedItem]:
    """Return the items that loops went on without, with bounded messages."""
    return [
        SkippedItem(
            item=_truncate(each.item),
            operation=each.failure.operation,
            kernel=each.failure.kernel,
            message=_truncate(str(each.failure)),
        )
        for each in result.skipped
    ]


def run_outcome(
    result: ExecutionResult, problems: Sequence[str], now: datetime, unmet: Sequence[str] = ()
) -> Outcome:
    """Return how a run ended.

    `problems` are messages about files that could not be copied, `unmet` how values differ from
    what is expected.
    """
    progress = result.progress
    reached = sum(goal.succeeded for goal in result.goals)
    keys = tuple(result.nondeterministic[:_MAX_KEYS]) or None
    if result.success and not problems and not unmet:
        return Outcome(
            state="Succeeded",
            reason=constants.REASON_SUCCEEDED,
            message=f"All {reached} goals were reached: {progress.computed} operations computed,"
            f" {progress.cached} cached.{_describe_skipped(result)}{_describe_not_finite(result)}",
            non_deterministic=keys,
            finish_time=now,
            store=store_counts(result),
            kernels=tuple(kernel_work(result)[:_MAX_KERNELS]),
        )
    if result.success and problems:
        reason, message = constants.REASON_OUTPUT_UNAVAILABLE, problems[0]
    elif result.success:
        reason, message = constants.REASON_EXPECTATION_FAILED, describe_differences(unmet)
    else:
        reason, message = constants.REASON_OPERATION_FAILED, _describe_failed_goals(result)
    return Outcome(
        state="Failed",
        reason=reason,
        message=_truncate(message),
        non_deterministic=keys,
        finish_time=now,
        store=store_counts(result),
        kernels=tuple(kernel_work(result)[:_MAX_KERNELS]),
    )


def rejected_outcome(error: PermanentError, now: datetime) -> Outcome:
    """Return the outcome of a plan that cannot run."""
    return Outcome(
        state="Failed", reason=error.failure_reason, message=_truncate(str(error)), finish_time=now
    )


def final_fields(
    result: ExecutionResult, outcome: Outcome, progress: str, run_url: str, report_url: str = ""
) -> dict[str, Any]:
    """Return the runner's fields of the status after the run."""
    return encode_runner_status(
        operations=operation_counts(result.progress),
        progress=progress,
        results=_with_warnings(goal_results(result.goals), result),
        failures=operation_failures(result.failures),
        skipped=skipped_items(result),
        outcome=outcome,
        run_url=run_url,
        report_url=report_url,
    )


def store_counts(result: ExecutionResult) -> StoreCounts:
    """Return what the run did at the store."""
    return StoreCounts(**asdict(result.store))


def kernel_work(result: ExecutionResult) -> list[KernelWork]:
    """Return the work of each kernel, that with the most seconds first."""
    return [
        KernelWork(**asdict(totals) | {"kernel": name, "seconds": round(totals.seconds, 3)})
        for name, totals in result.kernels.items()
    ]


def operation_counts(progress: Progress) -> OperationCounts:
    """Return the counts of `status.operations`."""
    return OperationCounts(
        total=progress.total,
        cached=progress.cached,
        computed=progress.computed,
        failed=progress.failed,
        running=progress.running,
        pending=progress.pending,
    )


def at_rest(progress: Progress) -> Progress:
    """Return the progress of a run that was stopped: operations that were running are pending."""
    return replace(progress, running=0, pending=progress.pending + progress.running)


def results_json(result: ExecutionResult, outcome: Outcome) -> bytes:
    """Return results.json: all results and failures, complete, for the run's folder."""
    return msgspec.json.encode(
        {
            "outcome": encode(outcome),
            "operations": encode(operation_counts(result.progress)),
            "seconds": round(result.execution_time, 3),
            **_result_times(result),
            "kernels": [encode(one) for one in kernel_work(result)],
            "results": [
                encode(one)
                for one in _with_warnings(goal_results(result.goals, whole=True), result)
            ],
            "failures": [encode(one) for one in operation_failures(result.failures)],
            "skippedItems": [encode(one) for one in skipped_items(result)],
        }
    )


def _result_times(result: ExecutionResult) -> dict[str, float]:
    """Return when the first and the last operation of the run ended, in seconds since 1970.

    In between the workers compute: the start of pods and the end of the run are left out.
    """
    ends = [each.started + each.seconds for each in result.metrics.values() if each.started]
    if not ends:
        return {}
    return {"first_result": round(min(ends), 3), "last_result": round(max(ends), 3)}


def _result(goal: GoalOutcome, whole: bool) -> GoalResult:
    name, operation = goal.goal.name, goal.operation
    if goal.goal.operation == "save":
        return GoalResult(
            goal=name,
            kind="save",
            operation=operation,
            url=goal.url or None,
            digest=_digest(goal),
            media_type=goal.media_type or None,
            size_bytes=goal.size or None,
        )
    value: object = goal.value if goal.has_value else goal.text
    if not goal.has_value and not goal.text:
        value = goal.line()
    shown, truncated = (json_value(value), False) if whole else truncate_value(value)
    return GoalResult(
        goal=name,
        kind="print",
        operation=operation,
        value=shown,
        line=printed_line(value),
        truncated=truncated or None,
        digest=_digest(goal),
    )


def _digest(goal: GoalOutcome) -> str | None:
    return f"sha256:{goal.digest}" if goal.digest else None


def _describe_failed_goals(result: ExecutionResult) -> str:
    failed = [goal for goal in result.goals if not goal.succeeded]
    message = next((goal.error for goal in failed if goal.error), "not reached")
    return (
        f"{len(failed)} of {len(result.goals)} goals failed;"
        f" {failed[0].goal.name if failed else ''}: {message}"
    )


def _describe_skipped(result: ExecutionResult) -> str:
    count = len(result.skipped)
    if not count:
        return ""
    names = ", ".join(each.item for each in result.skipped[:_MAX_NAMES])
    more = f" and {count - _MAX_NAMES} more" if count > _MAX_NAMES else ""
    what = "1 item of a loop failed and was"
    if count > 1:
        what = f"{count} items of loops failed and were"
    return _truncate(f" {what} skipped: {names}{more}.")


def _describe_not_finite(result: ExecutionResult) -> str:
    if not result.not_finite:
        return ""
    first, *others = result.not_finite
    more = f" (and {len(others)} more)" if others else ""
    return _truncate(f" Warning: {first}{more}.")


def _truncate(text: str) -> str:
    return text if len(text) <= _MESSAGE_LIMIT else text[: _MESSAGE_LIMIT - 1] + "…"
