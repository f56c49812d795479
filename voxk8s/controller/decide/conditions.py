"""The conditions of a WorkPlan: one pure function for each condition type.

Ready is True after success, False after failure, else Unknown. A WorkPlan that waits (Pending,
Queued, Suspended) is Ready=False, so that `kubectl describe` shows why; kstatus still reports it as
in progress, since it evaluates Reconciling first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from voxk8s import constants
from voxk8s.api.conditions import find_condition
from voxk8s.api.status import Condition, ConditionStatus
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import lost_pods, recovery, release, rerun
from voxk8s.controller.decide.problems import DASK_OPERATOR_HINT, SEVERITY, worst_problem
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolved, Resolving

_STORE_FAILURES = (
    constants.REASON_STORE_UNREACHABLE,
    constants.REASON_STORE_ACCESS_DENIED,
    constants.REASON_STORE_FULL,
)
_SUSPENDED = "There is no cluster while suspended."
_NO_CLUSTER_YET = (constants.REASON_ACCEPTED, constants.REASON_CLUSTER_NOT_NEEDED)


@dataclass(frozen=True, slots=True)
class ConditionState:
    """Status, reason and message of a condition."""

    status: ConditionStatus
    reason: str
    message: str


CONDITION_TYPES = frozenset(
    {
        constants.RECONCILING,
        constants.STALLED,
        constants.READY,
        constants.SUCCEEDED,
        constants.STORE_READY,
        constants.CLUSTER_READY,
        constants.DETERMINISTIC,
    }
)
"""The types of the operator's conditions."""
_STORE_CONNECTED = ConditionState("True", constants.REASON_STORE_CONNECTED, "The store answers.")


def condition_states(
    observed: Observed, state: PhaseState, now: datetime
) -> dict[str, ConditionState]:
    """Return the state of each condition by its type; those that do not apply are left out."""
    found = {
        constants.RECONCILING: reconciling(state),
        constants.STALLED: stalled(state),
        constants.READY: ready(state),
        constants.SUCCEEDED: succeeded(state),
        constants.STORE_READY: store_ready(observed),
        constants.CLUSTER_READY: cluster_ready(observed, state, now),
        constants.DETERMINISTIC: deterministic(observed),
    }
    return {kind: condition for kind, condition in found.items() if condition is not None}


def reconciling(state: PhaseState) -> ConditionState:
    """Return Reconciling: True until the WorkPlan ends."""
    return _by_phase(state, "False" if state.ended else "True")


def stalled(state: PhaseState) -> ConditionState:
    """Return Stalled: True after a failure."""
    return _by_phase(state, "True" if state.phase is Phase.FAILED else "False")


def ready(state: PhaseState) -> ConditionState:
    """Return Ready: True after success, False after failure or while the WorkPlan waits."""
    match state.phase:
        case Phase.SUCCEEDED:
            return _by_phase(state, "True")
        case Phase.FAILED | Phase.PENDING | Phase.QUEUED | Phase.SUSPENDED:
            return _by_phase(state, "False")
        case Phase.RESOLVING | Phase.STARTING | Phase.RUNNING:
            return _by_phase(state, "Unknown")


def succeeded(state: PhaseState) -> ConditionState:
    """Return Succeeded: Unknown until the WorkPlan ends."""
    match state.phase:
        case Phase.SUCCEEDED:
            return _by_phase(state, "True")
        case Phase.FAILED:
            return _by_phase(state, "False")
        case _:
            return _by_phase(state, "Unknown")


def store_ready(observed: Observed) -> ConditionState:
    """Return StoreReady, as the runner reports the store, else as the operator found it."""
    status, runner = observed.workplan.status, observed.runner
    runner_active = runner is not None and not runner.deleting and not runner.finished
    waiting = status.waiting
    if runner_active and waiting is not None and waiting.reason in _STORE_FAILURES:
        return ConditionState("False", waiting.reason, waiting.message)
    old = _old(observed, constants.STORE_READY)
    match observed.resolution:
        case Blocked(reason, message) | Resolving(Blocked(reason, message)) if (
            reason in _STORE_FAILURES
        ):
            return ConditionState("False", reason, message)
        case Resolved(store_checked=True, store_message=message) if message:
            return ConditionState("True", constants.REASON_CONDITIONAL_WRITES_UNSUPPORTED, message)
        case Resolved(store_checked=True):
            return _STORE_CONNECTED
        case _:
            pass
    # Progress and an outcome are proof that the store answers. Those of a runner that is gone are
    # not: the store may have failed since.
    if status.outcome is not None or (runner_active and status.operations is not None):
        return _kept(old) if old is not None and old.status == "True" else _STORE_CONNECTED
    if old is not None:
        return _kept(old)
    return ConditionState(
        "Unknown", constants.REASON_ACCEPTED, "The store has not been contacted yet."
    )


def cluster_ready(observed: Observed, state: PhaseState, now: datetime) -> ConditionState:
    """Return ClusterReady: whether the scheduler is available, and what keeps pods from working."""
    if not state.needs_children:
        return _without_cluster(observed, state, now)
    if observed.cluster is None and observed.runner is None and not observed.create_errors:
        return ConditionState(
            "Unknown", constants.REASON_CLUSTER_STARTING, "The cluster is being created."
        )
    old = _old(observed, constants.CLUSTER_READY)
    available = observed.scheduler is not None and observed.scheduler.available > 0
    problem = worst_problem(observed, now)
    if problem is not None:
        # The run survives a pod that ran out of memory if others are ready.
        survived = problem.reason == constants.REASON_OUT_OF_MEMORY and observed.ready_workers
        status: ConditionStatus = "True" if available and survived else "False"
        return ConditionState(status, problem.reason, problem.message)
    if available:
        if old is not None and old.reason == constants.REASON_OUT_OF_MEMORY:
            # The killed pod may be gone; its message is kept until the run ends.
            return ConditionState("True", old.reason, old.message)
        return ConditionState(
            "True", constants.REASON_CLUSTER_RUNNING, "The scheduler is available."
        )
    if old is not None and (old.status == "True" or old.reason == constants.REASON_SCHEDULER_LOST):
        return ConditionState(
            "False",
            constants.REASON_SCHEDULER_LOST,
            "The scheduler is gone and is being replaced; the run resumes from the store.",
        )
    return ConditionState(
        "False", constants.REASON_CLUSTER_STARTING, "The scheduler is not available yet."
    )


def deterministic(observed: Observed) -> ConditionState | None:
    """Return Deterministic=False if operations gave two different values, else None."""
    outcome = observed.workplan.status.outcome
    keys = outcome.non_deterministic if outcome else None
    if not keys:
        return None
    count = "1 operation" if len(keys) == 1 else f"{len(keys)} operations"
    return ConditionState(
        "False",
        constants.REASON_NON_DETERMINISTIC,
        f"{count} gave a value that differs from the one in the store, which was kept:"
        f" {', '.join(key[:12] for key in keys[:4])}",
    )


def _without_cluster(observed: Observed, state: PhaseState, now: datetime) -> ConditionState:
    """Return ClusterReady in a phase that needs no cluster."""
    if recovery.is_stuck_terminating(observed, now):
        return ConditionState(
            "False",
            constants.REASON_DASK_OPERATOR_MISSING,
            "The DaskCluster is being deleted, but its finalizer is not removed."
            f" {DASK_OPERATOR_HINT}",
        )
    if state == rerun.CLEARING:
        left = rerun.remains(observed, now)
        message = f"Waits until nothing is left of the last run: {left}" if left else state.message
        return ConditionState("Unknown", constants.REASON_RETRY, message)
    old = _old(observed, constants.CLUSTER_READY)
    never_needed = old is None or old.reason in _NO_CLUSTER_YET
    if release.keeps_cluster(observed, state, now) and (old is None or old.reason not in SEVERITY):
        return ConditionState(
            "True",
            constants.REASON_CLUSTER_KEPT,
            "The cluster is kept for a while after the failure (cluster.keepOnFailureSeconds).",
        )
    match state.phase:
        case Phase.QUEUED:
            return _by_phase(state, "False")
        case Phase.SUSPENDED:
            late = lost_pods.describe(lost_pods.awaited_pods(observed, now), now)
            message = f"Waits for what was suspended: {late}." if late else _SUSPENDED
            return ConditionState("False", constants.REASON_SUSPENDED, message)
        case Phase.SUCCEEDED if never_needed and observed.cluster is None:
            return ConditionState(
                "False", constants.REASON_CLUSTER_NOT_NEEDED, "No operation had to be computed."
            )
        case Phase.FAILED if old is not None and old.reason in SEVERITY:
            # What made the run fail is kept, whatever the status of the condition was.
            return ConditionState("False", old.reason, old.message)
        case Phase.SUCCEEDED | Phase.FAILED if never_needed:
            return ConditionState(
                "False", constants.REASON_CLUSTER_NOT_NEEDED, "No cluster was started."
            )
        case Phase.SUCCEEDED | Phase.FAILED:
            return ConditionState(
                "False", constants.REASON_CLUSTER_RELEASED, "The cluster was deleted after the run."
            )
        case _:
            return ConditionState(
                "Unknown",
                constants.REASON_ACCEPTED,
                "It is not known yet whether a cluster is needed.",
            )


def _by_phase(state: PhaseState, status: ConditionStatus) -> ConditionState:
    return ConditionState(status, state.reason, state.message)


def _old(observed: Observed, kind: str) -> Condition | None:
    return find_condition(observed.workplan.status.conditions, kind)


def _kept(old: Condition) -> ConditionState:
    return ConditionState(old.status, old.reason, old.message)
