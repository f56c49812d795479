"""Derives the phase of a WorkPlan from what is observed. Pure."""

from __future__ import annotations

from datetime import datetime

from voxk8s import constants
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.controller.decide.phase import ACTIVE_PHASES, Phase, PhaseState
from voxk8s.controller.decide.policies import completion, deadlines, quota, room
from voxk8s.controller.decide.policies.suspension import suspended
from voxk8s.controller.decide.problems import worst_problem
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.observe.workplan_codec import UndecodableWorkPlan
from voxk8s.controller.resolve.resolution_state import (
    Blocked,
    Invalid,
    Resolved,
    Resolving,
    Unresolved,
)

_LOOKED_UP = (Phase.QUEUED.value, Phase.STARTING.value)
"""Phases in which a run that has no cluster yet keeps what its status says."""


def derive_phase(observed: Observed, now: datetime) -> PhaseState:
    """Return the phase: an end if there is one, else what the WorkPlan is doing or waiting for."""
    recorded = completion.recorded_end(observed)
    if recorded is not None:
        return recorded
    if observed.status_error:
        # Before a new end: it could not be written.
        return PhaseState(
            Phase.PENDING,
            constants.REASON_STATUS_REJECTED,
            f"The API server rejected the status: {observed.status_error}",
        )
    end = completion.new_end(observed, now)
    if end is not None:
        return end
    if not is_readable(observed):
        return _unreadable(observed.workplan)
    waits = suspended(observed) or quota.waits(observed) or room.gives_way(observed)
    state = waits or _active(observed, now)
    problem = worst_problem(observed, now)
    cause = problem.message if problem is not None else state.message
    return deadlines.exceeded(observed, now, cause) or state


def is_readable(observed: Observed) -> bool:
    """Whether the spec was decoded: else nothing may be done for it, nor undone."""
    return not isinstance(observed.workplan, UndecodableWorkPlan)


def _unreadable(workplan: WorkPlanResource) -> PhaseState:
    error = workplan.decode_error if isinstance(workplan, UndecodableWorkPlan) else ""
    return PhaseState(
        Phase.PENDING,
        constants.REASON_SPEC_NOT_READABLE,
        f"The spec cannot be read: {error}. The versions of the CRD and of the operator differ; a"
        " run that exists goes on, and waits for an operator that can read it.",
    )


def _active(observed: Observed, now: datetime) -> PhaseState:
    waiting = observed.workplan.status.waiting
    if observed.runner is not None and not observed.runner.deleting:
        if waiting is not None:
            message = waiting.message
            if waiting.reason == constants.REASON_PROGRESSING:
                message += _restarts(observed)
            return PhaseState(Phase.RUNNING, waiting.reason, message)
        return _started(observed, now)
    match observed.resolution:
        case Blocked(reason, message) | Resolving(Blocked(reason, message)):
            return PhaseState(Phase.PENDING, reason, message)
        case Resolved():
            return _queued(observed) or _started(observed, now)
        case Unresolved() | Resolving() if observed.queued:
            return _queued(observed) or _started(observed, now)
        case Unresolved() | Resolving() | Invalid():
            if observed.cluster is not None and observed.cluster.deleting is None:
                return _started(observed, now)
            return _looked_up_again(observed) or PhaseState(
                Phase.RESOLVING,
                constants.REASON_ACCEPTED,
                "The plan is being read and looked up in the store.",
            )


def _looked_up_again(observed: Observed) -> PhaseState | None:
    """Return what the status says of a plan that was looked up before; None for others.

    What a look-up found is gone when another operator takes over, and the second one changes
    nothing for those who read: two writes for each that waits would tell of it. That pods are to go
    is no such thing: they are gone, and until the status says another reason nothing is looked up.
    """
    status = observed.workplan.status
    is_invalid = isinstance(observed.resolution, Invalid)
    if is_invalid or status.phase not in _LOOKED_UP or not status.reason:
        return None
    state = PhaseState(Phase(status.phase), status.reason, status.message or "")
    return None if state.stops_pods else state


def _queued(observed: Observed) -> PhaseState | None:
    """Return Queued if the run has to wait for other clusters to go, else None.

    The message stays as it was first: others come and go, and each change would be a write.
    """
    status = observed.workplan.status
    if not observed.queued or status.phase in ACTIVE_PHASES:
        return None  # One that has left its place still says what keeps its cluster from it.
    said = status.message if status.reason == constants.REASON_QUEUED else None
    return PhaseState(Phase.QUEUED, constants.REASON_QUEUED, said or observed.queued)


def _started(observed: Observed, now: datetime) -> PhaseState:
    """Return Running or Starting for a run whose children exist or are being created."""
    if room.has_begun(observed):
        lacking = [] if observed.computes else observed.lacking_groups
        message = (
            f"Nothing is computed yet: no worker of group {lacking[0]} is ready."
            if lacking
            else "Operations are being computed."
        )
        message += _restarts(observed)
        return PhaseState(Phase.RUNNING, constants.REASON_PROGRESSING, message)
    if observed.ready_workers:
        message = "The runner is starting."
    elif observed.workplan.status.workers_ready_time is not None:
        message = "No worker is ready."
    elif observed.queued and not observed.create_errors:
        message = "The Dask cluster is created when its turn comes."
    else:
        message = "The Dask cluster is starting."
    problem = worst_problem(observed, now)
    message = f"{message} {problem.message if problem else ''}".rstrip() + _restarts(observed)
    return PhaseState(Phase.STARTING, constants.REASON_CLUSTER_STARTING, message)


def _restarts(observed: Observed) -> str:
    """Return a sentence about a runner that failed and was restarted; empty if none did."""
    message = completion.runner_termination_message(observed)
    runner = observed.runner
    if runner is None or runner.finished or runner.attempts < 2 or not message:
        return ""
    return f" The runner was started {runner.attempts} times; its last pod ended with {message}."
