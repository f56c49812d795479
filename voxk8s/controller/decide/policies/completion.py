"""The end of a run: what the runner, the store or the plan itself says."""

from __future__ import annotations

from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.api import find_condition
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Invalid, Resolved

REPORT_GRACE = timedelta(seconds=20)
"""How long a completed Job may be ahead of the outcome that its pod wrote."""


def recorded(observed: Observed) -> PhaseState | None:
    """Give the end that the status already tells, or None."""
    status = observed.workplan.status
    found = find_condition(status.conditions, constants.SUCCEEDED)
    if found is None or found.status == "Unknown":
        return None
    phase = Phase.SUCCEEDED if found.status == "True" else Phase.FAILED
    return PhaseState(phase, found.reason, found.message, recorded=True)


def finished(observed: Observed, now: datetime) -> PhaseState | None:
    """Give the end that was just reached, or None while work is left."""
    outcome = observed.workplan.status.outcome
    if outcome is not None:
        phase = Phase.SUCCEEDED if outcome.state == "Succeeded" else Phase.FAILED
        return PhaseState(phase, outcome.reason, _with_memory(observed, phase, outcome.message))
    match observed.resolution:
        case Invalid(reason, message):
            return PhaseState(Phase.FAILED, reason, message)
        case Resolved(final_status=part) if part is not None:
            return PhaseState(
                Phase.SUCCEEDED,
                constants.REASON_SUCCEEDED,
                "Every goal was known: nothing had to be computed.",
            )
        case _:
            return _runner_gave_up(observed, now)


def _runner_gave_up(observed: Observed, now: datetime) -> PhaseState | None:
    runner = observed.runner
    if runner is None or runner.deleting:
        return None
    if runner.failed:
        return PhaseState(
            Phase.FAILED,
            constants.REASON_RUNNER_FAILED,
            _with_memory(
                observed,
                Phase.FAILED,
                f"The runner failed {runner.attempts} times, the last time with: "
                f"{termination_message(observed) or runner.message or 'no message'}."
                f" Its log: kubectl logs job/{runner.name}",
            ),
        )
    if runner.complete and runner.ended and now - runner.ended >= REPORT_GRACE:
        return PhaseState(
            Phase.FAILED,
            constants.REASON_RUNNER_FAILED,
            f"The runner ended without saying how. Its log: kubectl logs job/{runner.name}",
        )
    return None


def termination_message(observed: Observed) -> str:
    """Give what the runner's last pod left behind when it ended; empty if nothing."""
    words = [pod.termination_message for pod in observed.pods if pod.component == "runner"]
    return next((said for said in reversed(words) if said), "")


def _with_memory(observed: Observed, phase: Phase, message: str) -> str:
    """Add what was said about memory, since a failure may come from nothing else."""
    if phase is not Phase.FAILED:
        return message
    ready = find_condition(observed.workplan.status.conditions, constants.CLUSTER_READY)
    words = [
        problem.message
        for pod in observed.pods
        for problem in pod.problems
        if problem.reason == constants.REASON_OUT_OF_MEMORY
    ]
    if not words and ready and ready.reason == constants.REASON_OUT_OF_MEMORY:
        words = [ready.message]
    return f"{message} {words[0]}".strip() if words and words[0] not in message else message
