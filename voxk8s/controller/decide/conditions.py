"""The conditions of a WorkPlan: each a pure function of what is observed to what it states.

Ready is True once the WorkPlan has succeeded, False after a failure, else unknown (kstatus). What
keeps a WorkPlan waiting makes it False as well, so that `kubectl describe` shows it; kstatus reads
that as in progress, since it looks at Reconciling first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from voxk8s import constants
from voxk8s.api import ConditionStatus, find_condition
from voxk8s.constants import CLUSTER_READY, READY, RECONCILING, STALLED, STORE_READY, SUCCEEDED
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import recovery
from voxk8s.controller.decide.problems import HINT, ORDER, worst_problem
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolved, Resolving


@dataclass(frozen=True, slots=True)
class ConditionState:
    """Type, status, reason and message of a condition."""

    type: str
    status: ConditionStatus
    reason: str
    message: str


def reconciling(stage: PhaseState) -> ConditionState:
    """Say whether there is more to come."""
    return ConditionState(
        RECONCILING, "False" if stage.ended else "True", stage.reason, stage.message
    )


def stalled(stage: PhaseState) -> ConditionState:
    """Say whether the WorkPlan failed for good."""
    failed = stage.phase is Phase.FAILED
    return ConditionState(STALLED, "True" if failed else "False", stage.reason, stage.message)


def ready(stage: PhaseState) -> ConditionState:
    """Say whether the results are there."""
    match stage.phase:
        case Phase.SUCCEEDED:
            return ConditionState(READY, "True", stage.reason, stage.message)
        case Phase.FAILED | Phase.PENDING | Phase.SUSPENDED:
            return ConditionState(READY, "False", stage.reason, stage.message)
        case Phase.RESOLVING | Phase.STARTING | Phase.RUNNING:
            return ConditionState(READY, "Unknown", stage.reason, stage.message)


def succeeded(stage: PhaseState) -> ConditionState:
    """Say how the WorkPlan ended."""
    match stage.phase:
        case Phase.SUCCEEDED:
            return ConditionState(SUCCEEDED, "True", stage.reason, stage.message)
        case Phase.FAILED:
            return ConditionState(SUCCEEDED, "False", stage.reason, stage.message)
        case _:
            return ConditionState(SUCCEEDED, "Unknown", stage.reason, stage.message)


def deterministic(observed: Observed) -> ConditionState | None:
    """Say whether a difference was seen; None where none was."""
    outcome = observed.workplan.status.outcome
    keys = outcome.non_deterministic if outcome else None
    if not keys:
        return None
    return ConditionState(
        constants.DETERMINISTIC,
        "False",
        constants.REASON_NON_DETERMINISTIC,
        f"{_operations(len(keys))} gave another value than the one in the store, which was kept:"
        f" {', '.join(key[:12] for key in keys[:4])}",
    )


def _operations(count: int) -> str:
    return "1 operation" if count == 1 else f"{count} operations"


STORE_REASONS = frozenset(
    {constants.REASON_STORE_UNREACHABLE, constants.REASON_STORE_ACCESS_DENIED}
)


def store_ready(observed: Observed) -> ConditionState:
    """Say what the operator, or the runner where the operator may not look, found out."""
    status, runner = observed.workplan.status, observed.runner
    driven = runner is not None and not runner.deleting and not runner.finished
    if driven and status.waiting is not None and status.waiting.reason in STORE_REASONS:
        return ConditionState(STORE_READY, "False", status.waiting.reason, status.waiting.message)
    match observed.resolution:
        case Blocked(reason, message) | Resolving(Blocked(reason, message)) if (
            reason in STORE_REASONS
        ):
            return ConditionState(STORE_READY, "False", reason, message)
        case Resolved(store_checked=True, store_message=message):
            reason = (
                constants.REASON_CONDITIONAL_WRITES_UNSUPPORTED
                if message
                else constants.REASON_STORE_CONNECTED
            )
            return ConditionState(STORE_READY, "True", reason, message or "The store answers.")
        case _:
            pass
    # What a runner that is gone has said may be so no more.
    if status.outcome is not None or (driven and status.operations is not None):
        return _connected(observed)
    return _as_before(observed) or ConditionState(
        STORE_READY, "Unknown", constants.REASON_ACCEPTED, "The store was not asked yet."
    )


def _connected(observed: Observed) -> ConditionState:
    """Give what counts where the runner works: nothing of it comes about without a store."""
    old = _as_before(observed)
    if old is not None and old.status == "True":
        return old
    return ConditionState(
        STORE_READY, "True", constants.REASON_STORE_CONNECTED, "The store answers."
    )


def _as_before(observed: Observed) -> ConditionState | None:
    old = find_condition(observed.workplan.status.conditions, STORE_READY)
    return ConditionState(STORE_READY, old.status, old.reason, old.message) if old else None


_NOT_NEEDED = constants.REASON_CLUSTER_NOT_NEEDED


def cluster_ready(observed: Observed, stage: PhaseState, now: datetime) -> ConditionState:
    """Say how the cluster of the run is."""
    if not stage.working:
        return _idle(observed, stage, now)
    if observed.cluster is None and observed.runner is None and not observed.create_errors:
        return _claim("Unknown", constants.REASON_CLUSTER_STARTING, "The cluster is on its way.")
    problem = worst_problem(observed, now)
    available = observed.scheduler is not None and observed.scheduler.available > 0
    if problem is not None:
        # A pod that was killed for memory is worth knowing of, though others go on.
        survived = problem.reason == constants.REASON_OUT_OF_MEMORY and observed.ready_workers
        return _claim(
            "True" if available and survived else "False", problem.reason, problem.message
        )
    if available:
        return _available(observed)
    if _was_available(observed):
        return _claim(
            "False",
            constants.REASON_SCHEDULER_LOST,
            "The scheduler is gone; a new one is on its way, and the run goes on from the store.",
        )
    return _claim("False", constants.REASON_CLUSTER_STARTING, "The scheduler is not ready yet.")


def _idle(observed: Observed, stage: PhaseState, now: datetime) -> ConditionState:
    if recovery.is_stuck_terminating(observed, now):
        return _claim(
            "False",
            constants.REASON_DASK_OPERATOR_MISSING,
            f"The DaskCluster is to be deleted, but its finalizer is not taken away. {HINT}",
        )
    old = find_condition(observed.workplan.status.conditions, CLUSTER_READY)
    match stage.phase:
        case Phase.SUSPENDED:
            return _claim("False", constants.REASON_SUSPENDED, "No cluster while suspended.")
        case Phase.SUCCEEDED if observed.cluster is None and (
            old is None or old.reason in (constants.REASON_ACCEPTED, _NOT_NEEDED)
        ):
            return _claim("False", _NOT_NEEDED, "Nothing had to be computed.")
        case Phase.FAILED if old is not None and old.reason in ORDER:
            # What made the run fail stays to be read; what was ready is not any more.
            return _claim("False", old.reason, old.message)
        case Phase.SUCCEEDED | Phase.FAILED:
            if old is None or old.reason in (constants.REASON_ACCEPTED, _NOT_NEEDED):
                return _claim("False", _NOT_NEEDED, "No cluster was started.")
            return _claim("False", constants.REASON_CLUSTER_RELEASED, "It was given back.")
        case _:
            return _claim(
                "Unknown", constants.REASON_ACCEPTED, "Whether one is needed is not known."
            )


def _available(observed: Observed) -> ConditionState:
    old = find_condition(observed.workplan.status.conditions, CLUSTER_READY)
    if old is not None and old.reason == constants.REASON_OUT_OF_MEMORY:
        # The killed pod may be gone by now; that it was killed is worth knowing until the end.
        return _claim("True", old.reason, old.message)
    return _claim("True", constants.REASON_CLUSTER_RUNNING, "The scheduler is ready.")


def _was_available(observed: Observed) -> bool:
    old = find_condition(observed.workplan.status.conditions, CLUSTER_READY)
    return old is not None and (
        old.status == "True" or old.reason == constants.REASON_SCHEDULER_LOST
    )


def _claim(status: str, reason: str, message: str) -> ConditionState:
    match status:
        case "True" | "False" | "Unknown":
            return ConditionState(CLUSTER_READY, status, reason, message)
        case _:
            raise AssertionError(status)
