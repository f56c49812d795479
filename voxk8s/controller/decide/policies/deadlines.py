"""Deadlines: start (to the first ready worker) and active (to the end)."""

from __future__ import annotations

from datetime import datetime

from voxk8s import constants
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies.suspension import active_time
from voxk8s.controller.observe.observed import Observed


def has_started(observed: Observed) -> bool:
    """Say whether a worker of the run was ever ready, and the run is not kept from its beginning.

    A runner that waits for its plan or for the store, or whose pod is refused, has started nothing,
    whatever is ready; one that waits for what another run computes has.
    """
    status = observed.workplan.status
    counts = status.operations
    begun = counts is not None and bool(counts.running or counts.computed or counts.failed)
    refused = observed.runner_pod_error and observed.runner and not observed.runner.attempts
    waits = status.waiting is not None and status.waiting.reason != constants.REASON_PROGRESSING
    if (waits or refused) and not begun:
        return False
    return status.workers_ready_time is not None or observed.ready_workers > 0


def exceeded(observed: Observed, now: datetime, waiting_for: str) -> PhaseState | None:
    """Give the end that a deadline makes, or None; `waiting_for` tells what was missing."""
    spec = observed.workplan.spec
    active = active_time(observed.workplan, now).total_seconds()
    limit = spec.active_deadline_seconds
    if limit is not None and active >= limit:
        return PhaseState(
            Phase.FAILED,
            constants.REASON_DEADLINE_EXCEEDED,
            f"The run was not done after {limit} s (activeDeadlineSeconds). What it computed"
            " stays in the store: apply it again with a longer deadline to go on from there.",
        )
    limit = spec.start_deadline_seconds
    if limit is not None and not has_started(observed) and active >= limit:
        what = "The run had not begun" if observed.ready_workers else "No worker was ready"
        return PhaseState(
            Phase.FAILED,
            constants.REASON_START_DEADLINE_EXCEEDED,
            f"{what} after {limit} s (startDeadlineSeconds): {waiting_for}",
        )
    return None


def seconds_left(observed: Observed, now: datetime) -> float | None:
    """Give the seconds until the next deadline, or None."""
    spec = observed.workplan.spec
    limits = [spec.active_deadline_seconds]
    if not has_started(observed):
        limits.append(spec.start_deadline_seconds)
    known = [limit for limit in limits if limit is not None]
    if not known or spec.suspend:
        return None
    return max(0.0, min(known) - active_time(observed.workplan, now).total_seconds())
