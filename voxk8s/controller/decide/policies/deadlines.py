"""The two deadlines of a run: startDeadlineSeconds and activeDeadlineSeconds."""

from __future__ import annotations

from datetime import datetime

from voxk8s import constants
from voxk8s.api.run_time import active_time
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.observe.observed import Observed


def has_started(observed: Observed) -> bool:
    """Whether a worker has been ready and the runner is not kept from starting.

    A runner that waits for its plan or for the store, or whose pod is rejected, has not started,
    even if workers are ready; one that waits for results of another run has. Nor has a run started
    that computes nothing while a group that it needs has no ready worker.
    """
    status = observed.workplan.status
    counts = status.operations
    begun = counts is not None and bool(counts.running or counts.computed or counts.failed)
    rejected = observed.runner_pod_error and observed.runner and not observed.runner.attempts
    waits = status.waiting is not None and status.waiting.reason != constants.REASON_PROGRESSING
    lacks = status.waiting is None and bool(observed.lacking_groups)
    if (waits or rejected or lacks) and not begun:
        return False
    return status.workers_ready_time is not None or observed.ready_workers > 0


def exceeded(observed: Observed, now: datetime, cause: str) -> PhaseState | None:
    """Return the failure if a deadline is exceeded, or None; `cause` is what the run waits for."""
    spec = observed.workplan.spec
    active = active_time(observed.workplan, now).total_seconds()
    limit = spec.active_deadline_seconds
    if limit is not None and active >= limit:
        return PhaseState(
            Phase.FAILED,
            constants.REASON_DEADLINE_EXCEEDED,
            f"The run did not end within {limit} s (activeDeadlineSeconds). Its results are kept:"
            " apply the WorkPlan again with a longer deadline to resume.",
        )
    limit = spec.start_deadline_seconds
    if limit is not None and not has_started(observed) and active >= limit:
        what = "The run did not start" if observed.ready_workers else "No worker was ready"
        return PhaseState(
            Phase.FAILED,
            constants.REASON_START_DEADLINE_EXCEEDED,
            f"{what} within {limit} s (startDeadlineSeconds): {cause}",
        )
    return None


def seconds_left(observed: Observed, now: datetime) -> float | None:
    """Return the seconds until the next deadline, or None if there is none."""
    spec = observed.workplan.spec
    limits = [spec.active_deadline_seconds]
    if not has_started(observed):
        limits.append(spec.start_deadline_seconds)
    applicable = [limit for limit in limits if limit is not None]
    if not applicable or spec.suspend:
        return None
    return max(0.0, min(applicable) - active_time(observed.workplan, now).total_seconds())
