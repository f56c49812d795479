"""The end of a run, as the runner, the store or the plan itself determines it."""

from __future__ import annotations

from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.api.conditions import find_condition
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Invalid, Resolved

OUTCOME_GRACE = timedelta(seconds=20)
"""Time after a Job's completion within which the informer may not yet have the runner's outcome."""


def recorded_end(observed: Observed) -> PhaseState | None:
    """Return the end that the status already reports, or None."""
    found = find_condition(observed.workplan.status.conditions, constants.SUCCEEDED)
    if found is None or found.status == "Unknown":
        return None
    phase = Phase.SUCCEEDED if found.status == "True" else Phase.FAILED
    return PhaseState(phase, found.reason, found.message, recorded=True)


def new_end(observed: Observed, now: datetime) -> PhaseState | None:
    """Return an end that the status does not report yet, or None while the run goes on."""
    outcome = observed.workplan.status.outcome
    if outcome is not None:
        if outcome.state == "Succeeded":
            return PhaseState(Phase.SUCCEEDED, outcome.reason, outcome.message)
        message = _with_memory_problem(observed, outcome.message)
        return PhaseState(Phase.FAILED, outcome.reason, message)
    match observed.resolution:
        case Invalid(reason, message):
            return PhaseState(Phase.FAILED, reason, message)
        case Resolved(final_status=part, unmet=unmet) if part is not None and unmet:
            return PhaseState(Phase.FAILED, constants.REASON_EXPECTATION_FAILED, unmet)
        case Resolved(final_status=part) if part is not None:
            return PhaseState(
                Phase.SUCCEEDED,
                constants.REASON_SUCCEEDED,
                "All results were in the store: no operation had to be computed.",
            )
        case _:
            return _runner_failed(observed, now)


def runner_termination_message(observed: Observed) -> str:
    """Return the termination message of the last runner pod that ended; empty without one."""
    messages = [pod.termination_message for pod in observed.pods if pod.component == "runner"]
    return next((message for message in reversed(messages) if message), "")


def _runner_failed(observed: Observed, now: datetime) -> PhaseState | None:
    runner = observed.runner
    if runner is None or runner.deleting:
        return None
    if runner.failed:
        last = runner_termination_message(observed) or runner.message or "no message"
        message = _with_memory_problem(
            observed,
            f"The runner failed {runner.attempts} times; its last pod ended with: {last}."
            f" See kubectl logs job/{runner.name}.",
        )
    elif runner.complete and runner.ended and now - runner.ended >= OUTCOME_GRACE:
        message = (
            f"The runner exited without reporting an outcome. See kubectl logs job/{runner.name}."
        )
    else:
        return None
    return PhaseState(Phase.FAILED, constants.REASON_RUNNER_FAILED, message)


def _with_memory_problem(observed: Observed, message: str) -> str:
    """Append what is known of a pod that ran out of memory: it may be the cause of a failure."""
    problems = [
        problem.message
        for pod in observed.pods
        for problem in pod.problems
        if problem.reason == constants.REASON_OUT_OF_MEMORY
    ]
    ready = find_condition(observed.workplan.status.conditions, constants.CLUSTER_READY)
    if not problems and ready and ready.reason == constants.REASON_OUT_OF_MEMORY:
        problems = [ready.message]
    if not problems or problems[0] in message:
        return message
    return f"{message} {problems[0]}".strip()
