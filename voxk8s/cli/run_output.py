"""Output of `voxk8s run`: `name=value` lines and JSON. Pure."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, replace

from voxk8s.describe import Json, as_json, as_line, one_line
from voxk8s.execution import ExecutionResult, GoalOutcome
from voxk8s.failure import Failure
from voxk8s.plan import WorkPlan
from voxk8s.redact import visible_json
from voxk8s.storage import Counts
from voxk8s.values import SavedFile

_CUT = "…"


def goal_line(outcome: GoalOutcome) -> str:
    """Return the line of a reached `print` goal, without a limit of length."""
    return f"{one_line(outcome.goal.name)}={value_text(outcome)}"


def value_text(outcome: GoalOutcome) -> str:
    """Return a goal's value in one line; large images are described, not read."""
    text = outcome.text
    if outcome.has_value or not text or text.endswith(_CUT):
        return as_line(outcome.load(), limit=sys.maxsize)
    return text


def result_json(result: ExecutionResult) -> dict[str, Json]:
    """Return the object that --json prints for a run."""
    return {
        "success": result.success,
        "goals": [_goal_json(outcome) for outcome in result.goals],
        "operations": {
            "total": result.total_operations,
            "computed": result.completed_operations,
            "cached": result.cached_operations,
            "failed": result.progress.failed,
        },
        "failures": [_failure_json(failure) for failure in result.failures],
        "skipped": [{"item": each.item, **_failure_json(each.failure)} for each in result.skipped],
        "notFinite": [{**asdict(each), "message": str(each)} for each in result.not_finite],
        "seconds": round(result.execution_time, 6),
        "store": asdict(result.store),
        "kernels": {
            name: asdict(replace(totals, seconds=round(totals.seconds, 6)))
            for name, totals in result.kernels.items()
        },
    }


def failure_json(plan: WorkPlan, failure: Failure) -> dict[str, Json]:
    """Return the object that --json prints for a run that was aborted by `failure`."""
    goals: list[Json] = [
        {"name": goal.name, "operation": goal.id, "kind": goal.operation, "error": str(failure)}
        for goal in plan.goals
    ]
    return {
        "success": False,
        "goals": goals,
        "operations": {"total": 0, "computed": 0, "cached": 0, "failed": 0},
        "failures": [_failure_json(failure)],
        "skipped": [],
        "notFinite": [],
        "seconds": 0.0,
        "store": asdict(Counts()),
        "kernels": {},
    }


def dump(document: Json) -> str:
    """Return indented JSON, without NaN and with Unicode as it is, but what terminals obey."""
    return visible_json(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def _file_digest(outcome: GoalOutcome) -> str:
    """Return a file's SHA-256; it is computed for files that were not stored."""
    if outcome.digest:
        return outcome.digest
    file = outcome.load()
    return hashlib.sha256(file.data).hexdigest() if isinstance(file, SavedFile) else ""


def _failure_json(failure: Failure) -> dict[str, Json]:
    return {
        "operation": failure.operation,
        "kernel": failure.kernel,
        "message": str(failure),
    }


def _goal_json(outcome: GoalOutcome) -> dict[str, Json]:
    goal: dict[str, Json] = {
        "name": outcome.goal.name,
        "operation": outcome.operation,
        "kind": outcome.goal.operation,
    }
    if outcome.error is not None:
        return {**goal, "error": outcome.error}
    if outcome.goal.operation == "save":
        path = str(outcome.path) if outcome.path is not None else outcome.goal.name
        return {**goal, "path": path, "digest": f"sha256:{_file_digest(outcome)}"}
    text = outcome.text
    if not outcome.has_value and text and not text.endswith(_CUT):
        return {**goal, "value": text}
    return {**goal, "value": as_json(outcome.load())}
