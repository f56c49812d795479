"""From what is observed to the stage of a WorkPlan's life. Pure."""

from __future__ import annotations

from datetime import datetime

from voxk8s import constants
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import completion, deadlines
from voxk8s.controller.decide.problems import worst_problem
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import (
    Blocked,
    Invalid,
    Resolved,
    Resolving,
    Unresolved,
)


def derive_phase(observed: Observed, now: datetime) -> PhaseState:
    """Give the stage: an end that is told, one that was just reached, or the way there."""
    end = completion.recorded(observed) or completion.finished(observed, now)
    if end is not None:
        return end
    stage = _suspended(observed) or _on_the_way(observed, now)
    late = deadlines.exceeded(observed, now, waiting_for=_explain(observed, stage, now))
    return late or stage


def _suspended(observed: Observed) -> PhaseState | None:
    if not observed.workplan.spec.suspend:
        return None
    return PhaseState(
        Phase.SUSPENDED,
        constants.REASON_SUSPENDED,
        "spec.suspend is set: no cluster runs, results stay.",
    )


def _on_the_way(observed: Observed, now: datetime) -> PhaseState:
    waiting = observed.workplan.status.waiting
    if observed.runner is not None and not observed.runner.deleting:
        if waiting is not None:
            words = waiting.message
            if waiting.reason == constants.REASON_PROGRESSING:
                words += _setbacks(observed)
            return PhaseState(Phase.RUNNING, waiting.reason, words)
        return _under_way(observed, now)
    match observed.resolution:
        case Blocked(reason, message) | Resolving(Blocked(reason, message)):
            return PhaseState(Phase.PENDING, reason, message)
        case Resolved():
            return _under_way(observed, now)
        case Unresolved() | Resolving() | Invalid():
            if observed.cluster is not None and observed.cluster.deleting is None:
                return _under_way(observed, now)
            return PhaseState(
                Phase.RESOLVING,
                constants.REASON_ACCEPTED,
                "The plan is read and looked up in the store.",
            )


def _under_way(observed: Observed, now: datetime) -> PhaseState:
    counts = observed.workplan.status.operations
    begun = counts is not None and (counts.running > 0 or counts.computed > 0)
    driven = any(pod.component == "runner" and pod.ready for pod in observed.pods)
    if begun or (observed.ready_workers and driven):
        words = f"Operations are being computed.{_setbacks(observed)}"
        return PhaseState(Phase.RUNNING, constants.REASON_PROGRESSING, words)
    if observed.ready_workers:
        words = "The runner is on its way."
    elif observed.workplan.status.workers_ready_time is not None:
        words = "No worker is ready."
    else:
        words = "The Dask cluster is on its way."
    problem = worst_problem(observed, now)
    words = f"{words} {problem.message if problem else ''}".rstrip() + _setbacks(observed)
    return PhaseState(Phase.STARTING, constants.REASON_CLUSTER_STARTING, words)


def _setbacks(observed: Observed) -> str:
    """Say that the runner failed and is started again, which no other condition tells."""
    words = completion.termination_message(observed)
    runner = observed.runner
    if runner is None or runner.finished or runner.attempts < 2 or not words:
        return ""
    return f" The runner was started {runner.attempts} times; it last ended with {words}."


def _explain(observed: Observed, stage: PhaseState, now: datetime) -> str:
    """Say what a WorkPlan that did not start was waiting for."""
    problem = worst_problem(observed, now)
    return problem.message if problem is not None else stage.message
