"""From the engine's result to what the status says of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from voxk8s import api, constants
from voxk8s.api import (
    GoalResult,
    OperationCounts,
    OperationFailure,
    Outcome,
    json_value,
    truncate_value,
)
from voxk8s.errors import PermanentError
from voxk8s.execution import ExecutionResult
from voxk8s.execution.events import Progress
from voxk8s.execution.result import GoalOutcome
from voxk8s.failure import Failure

_MESSAGE_LIMIT = 4000
_KEYS = 16


def goal_results(goals: Sequence[GoalOutcome], *, whole: bool = False) -> list[GoalResult]:
    """Give the results of the goals that were reached, in goal order; `whole`: uncut."""
    return [_result(goal, whole) for goal in goals if goal.succeeded]


def operation_failures(failures: Sequence[Failure]) -> list[OperationFailure]:
    """Give what failed itself, not what needed it."""
    return [
        OperationFailure(
            operation=failure.operation, kernel=failure.kernel, message=_cut(str(failure))
        )
        for failure in failures
    ]


def outcome_of(result: ExecutionResult, problems: Sequence[str], now: datetime) -> Outcome:
    """Say how a run ended; `problems` are those of delivering what was computed."""
    progress = result.progress
    reached = sum(goal.succeeded for goal in result.goals)
    keys = tuple(result.nondeterministic[:_KEYS]) or None
    if result.success and not problems:
        return Outcome(
            state="Succeeded",
            reason=constants.REASON_SUCCEEDED,
            message=f"All {reached} goals are reached: {progress.computed} operations were"
            f" computed, {progress.cached} were known.",
            non_deterministic=keys,
            finish_time=now,
        )
    if result.success:
        reason, words = constants.REASON_OUTPUT_UNAVAILABLE, problems[0]
    else:
        reason, words = constants.REASON_OPERATION_FAILED, _explain(result)
    return Outcome(
        state="Failed",
        reason=reason,
        message=_cut(words),
        non_deterministic=keys,
        finish_time=now,
    )


def refusal(error: PermanentError, now: datetime) -> Outcome:
    """Say that a plan can never run."""
    return Outcome(
        state="Failed", reason=error.failure_reason, message=_cut(str(error)), finish_time=now
    )


def final_part(
    result: ExecutionResult, outcome: Outcome, progress: str, run_url: str, report_url: str = ""
) -> dict[str, Any]:
    """Give the runner's part of the status at the end."""
    return api.encode_runner_status(
        operations=operation_counts(result.progress),
        progress=progress,
        results=goal_results(result.goals),
        failures=operation_failures(result.failures),
        outcome=outcome,
        run_url=run_url,
        report_url=report_url,
    )


def operation_counts(progress: Progress) -> OperationCounts:
    """Return the counts of operations as the status has them."""
    return OperationCounts(
        total=progress.total,
        cached=progress.cached,
        computed=progress.computed,
        failed=progress.failed,
        running=progress.running,
        pending=progress.pending,
    )


def full_report(result: ExecutionResult, outcome: Outcome) -> bytes:
    """Give all results and failures as JSON, for the run's folder."""
    return msgspec.json.encode(
        {
            "outcome": api.encode(outcome),
            "operations": api.encode(operation_counts(result.progress)),
            "seconds": round(result.execution_time, 3),
            "results": [api.encode(one) for one in goal_results(result.goals, whole=True)],
            "failures": [api.encode(one) for one in operation_failures(result.failures)],
        }
    )


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
    shown, cut = (json_value(value), False) if whole else truncate_value(value)
    return GoalResult(
        goal=name,
        kind="print",
        operation=operation,
        value=shown,
        truncated=cut or None,
        digest=_digest(goal),
    )


def _digest(goal: GoalOutcome) -> str | None:
    return f"sha256:{goal.digest}" if goal.digest else None


def _explain(result: ExecutionResult) -> str:
    failed = [goal for goal in result.goals if not goal.succeeded]
    words = next((goal.error for goal in failed if goal.error), "not reached")
    return (
        f"{len(failed)} of {len(result.goals)} goals failed;"
        f" {failed[0].goal.name if failed else ''}: {words}"
    )


def _cut(text: str) -> str:
    return text if len(text) <= _MESSAGE_LIMIT else text[: _MESSAGE_LIMIT - 1] + "…"
