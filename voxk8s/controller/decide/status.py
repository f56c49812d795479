"""The operator's part of the status: built whole from a phase, written when it changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from voxk8s import constants
from voxk8s.api.conditions import set_condition
from voxk8s.api.run_time import active_time, duration_text, suspension
from voxk8s.api.runner_status import RUNNER_FIELDS
from voxk8s.api.status import (
    ClusterStatus,
    Condition,
    RunnerStatus,
    WorkerGroupStatus,
    WorkPlanStatus,
)
from voxk8s.api.workplan import WorkPlanResource, encode
from voxk8s.controller.decide.conditions import (
    CONDITION_TYPES,
    ConditionState,
    condition_states,
)
from voxk8s.controller.decide.derive_phase import is_readable
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import lost_pods, release, rerun
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Resolved

_MESSAGE_LIMIT = 4096
_START = (
    constants.REASON_CLUSTER_STARTING,
    constants.REASON_CLUSTER_RUNNING,
    constants.REASON_PROGRESSING,
)
"""Reasons that follow each other while a run starts."""
ACCEPTANCE_SECONDS = 2.0
"""Time after its creation within which a WorkPlan's status is written only when it says more than
that the plan is being looked up: most look-ups are over by then. Creation times are in whole
seconds: it is up to a second less."""
CROWDED_SECONDS = 10.0
"""The same time while many plans wait for their look-ups: these writes would delay them further."""


def operator_status(observed: Observed, state: PhaseState, now: datetime) -> WorkPlanStatus:
    """Return the status with all fields of the operator; those of the runner are left out."""
    workplan, old = observed.workplan, observed.workplan.status
    now = now.replace(microsecond=0)
    pause, old_generation = suspension(workplan, now), old.observed_generation
    first_ready_worker = old.workers_ready_time is None and observed.ready_workers > 0
    digest = (
        observed.resolution.source_digest if isinstance(observed.resolution, Resolved) else None
    )
    status = WorkPlanStatus(
        observed_generation=_generation(observed) if is_readable(observed) else old_generation,
        conditions=_conditions(observed, state, now),
        phase=state.phase.value,
        reason=state.reason,
        message=_truncated(state.message),
        start_time=old.start_time or _accepted_at(observed, now),
        completion_time=old.completion_time or (now if state.ended else None),
        workers_ready_time=now if first_ready_worker else old.workers_ready_time,
        suspend_time=None if state.ended else pause.since,
        suspended_seconds=pause.past_seconds or None,
        cluster=_cluster(observed, state, now),
        runner=_runner(observed),
        retry=_retry(workplan),
        source_digest=digest or old.source_digest,
    )
    if not state.ended or state.recorded:
        # A duration that grows would be a write every few seconds: readers compute it.
        return msgspec.structs.replace(status, duration=old.duration if state.recorded else None)
    active = active_time(msgspec.structs.replace(workplan, status=status), now)
    return msgspec.structs.replace(status, duration=duration_text(active))


def status_before_retry(observed: Observed, now: datetime) -> WorkPlanStatus:
    """Return the status of a WorkPlan that is to run again: nothing of the last run is in it."""
    status = operator_status(rerun.without_outcome(observed), rerun.CLEARING, now)
    return msgspec.structs.replace(
        status, start_time=None, workers_ready_time=None, cluster=None, runner=None
    )


def with_obstacle(observed: Observed, reason: str, message: str, now: datetime) -> WorkPlanStatus:
    """Return the status that says in ClusterReady what keeps the operator from deciding.

    All else stays as it was; that of a new WorkPlan says that it was accepted.
    """
    workplan, now = observed.workplan, now.replace(microsecond=0)
    if workplan.status.conditions:
        status = msgspec.structs.replace(workplan.status, **dict.fromkeys(RUNNER_FIELDS))
    else:
        accepted = PhaseState(Phase.RESOLVING, constants.REASON_ACCEPTED, message)
        status = operator_status(observed, accepted, now)
    condition = ConditionState("Unknown", reason, message)
    conditions = _with_condition(
        observed, status.conditions, constants.CLUSTER_READY, condition, now
    )
    return msgspec.structs.replace(status, conditions=conditions)


def stopped_run_status(observed: Observed, now: datetime) -> dict[str, Any] | None:
    """Return the runner's part of the status for a runner that is gone; None if it is right.

    A runner that was killed could not report that its running operations are pending again. As long
    as its pod has not ended it may still write, also a report that this would remove.
    """
    old, runner = observed.workplan.status, observed.runner
    counts = old.operations
    if counts is None or not counts.running or (runner is not None and not runner.finished):
        return None
    if any(pod.component == "runner" for pod in lost_pods.awaited_pods(observed, now)):
        return None
    at_rest = msgspec.structs.replace(counts, running=0, pending=counts.pending + counts.running)
    kept = _runner_part(old) | {"operations": at_rest, "waiting": None}
    return encode(WorkPlanStatus(**kept))


def has_changed(new: WorkPlanStatus, old: WorkPlanStatus) -> bool:
    """Whether the operator's fields differ."""
    unset = dict.fromkeys(RUNNER_FIELDS)
    return _sorted(new) != _sorted(msgspec.structs.replace(old, **unset))


def is_urgent(new: WorkPlanStatus, old: WorkPlanStatus) -> bool:
    """Whether a change is to be written at once.

    The start of a run changes numbers, messages and Starting to Running several times within
    seconds: these wait until some are written together.
    """
    return _essence(new) != _essence(old)


def is_being_accepted(observed: Observed, state: PhaseState, now: datetime) -> bool:
    """Whether a new WorkPlan's status would only say that its plan is being looked up."""
    created = observed.workplan.metadata.creation_timestamp
    return (
        state.phase is Phase.RESOLVING
        and not observed.workplan.status.conditions
        and created is not None
        and (now - created).total_seconds() < acceptance_seconds(observed)
    )


def acceptance_seconds(observed: Observed) -> float:
    """Return how long the first status may wait for the end of the look-up."""
    return CROWDED_SECONDS if observed.crowded else ACCEPTANCE_SECONDS


def encode_status(status: WorkPlanStatus) -> dict[str, Any]:
    """Return the operator's part of the status as JSON data, always with observedGeneration."""
    data = encode(status)
    data["observedGeneration"] = status.observed_generation
    return data


def has_runner_part(status: WorkPlanStatus) -> bool:
    """Whether there is anything in the runner's part of the status."""
    return any(value is not None for value in _runner_part(status).values())


def own_results(status: WorkPlanStatus) -> dict[str, Any]:
    """Return the runner's part of the status of a WorkPlan that needed no runner, else nothing.

    The operator has written it together with its own part, and removes what it leaves out.
    """
    if status.completion_time is None or status.runner is not None or status.outcome is not None:
        return {}
    return encode(WorkPlanStatus(**_runner_part(status)))


def _runner_part(status: WorkPlanStatus) -> dict[str, Any]:
    return {name: getattr(status, name) for name in RUNNER_FIELDS}


def _essence(status: WorkPlanStatus) -> tuple[object, ...]:
    """Return what users and tools wait for, the same before and after a run starts to compute."""
    conditions = {
        condition.type: _START
        if condition.reason in _START
        else (condition.status, condition.reason)
        for condition in status.conditions
        if condition.type in CONDITION_TYPES
    }
    return (
        status.observed_generation,
        status.completion_time,
        status.suspend_time,
        # The start deadline depends on it: a worker may be gone again before a write that waits.
        status.workers_ready_time,
        conditions,
    )


def _retry(workplan: WorkPlanResource) -> str | None:
    """Return the annotation as it was when the run began; a later one is for the next run."""
    if workplan.status.start_time is not None:
        return workplan.status.retry
    return workplan.retry_token


def _accepted_at(observed: Observed, now: datetime) -> datetime:
    """Return when a new WorkPlan was accepted: the first status is written a moment later.

    Where it has waited in a crowd, that may be gone by now.
    """
    created = observed.workplan.metadata.creation_timestamp
    if created is not None and 0 <= (now - created).total_seconds() <= 2 * CROWDED_SECONDS:
        return created
    return now


def _sorted(status: WorkPlanStatus) -> WorkPlanStatus:
    """Return the status with sorted conditions: the API server need not keep their order.

    Conditions that other tools have added are left out.
    """
    own = (condition for condition in status.conditions if condition.type in CONDITION_TYPES)
    conditions = tuple(sorted(own, key=lambda condition: condition.type))
    return msgspec.structs.replace(status, conditions=conditions)


def _conditions(observed: Observed, state: PhaseState, now: datetime) -> tuple[Condition, ...]:
    """Return the operator's conditions; one that no longer applies is left out, and so removed."""
    old = observed.workplan.status.conditions
    found = condition_states(observed, state, now)
    conditions = tuple(condition for condition in old if condition.type in found)
    for kind, condition in found.items():
        conditions = _with_condition(observed, conditions, kind, condition, now)
    return conditions


def _with_condition(
    observed: Observed,
    conditions: tuple[Condition, ...],
    kind: str,
    condition: ConditionState,
    now: datetime,
) -> tuple[Condition, ...]:
    return set_condition(
        conditions,
        kind,
        condition.status,
        condition.reason,
        _truncated(condition.message),
        now=now,
        generation=_generation(observed),
    )


def _generation(observed: Observed) -> int:
    """Return the generation of the spec that the status is about: one that could be read."""
    if is_readable(observed):
        return observed.workplan.metadata.generation
    return max(0, observed.workplan.status.observed_generation)


def _cluster(observed: Observed, state: PhaseState, now: datetime) -> ClusterStatus | None:
    old = observed.workplan.status.cluster
    in_use = state.needs_children or release.keeps_cluster(observed, state, now)
    if observed.cluster is None or not in_use:
        if old is None:
            return None
        return msgspec.structs.replace(old, workers=0, worker_groups=None, dashboard_url=None)
    return ClusterStatus(
        name=observed.cluster.name,
        dashboard_url=observed.dashboard,
        workers=observed.ready_workers,
        worker_groups=_worker_groups(observed, observed.cluster.groups) or None,
    )


def _worker_groups(observed: Observed, desired: Mapping[str, int]) -> tuple[WorkerGroupStatus, ...]:
    """Return the numbers of workers of the groups that the cluster has beside the default one.

    They are in the order of the spec: another one after a restart would be a write.
    """
    ready = observed.ready_workers_of_groups
    return tuple(
        WorkerGroupStatus(group.name, desired[group.name], ready.get(group.name, 0))
        for group in observed.workplan.spec.cluster.worker_groups or ()
        if group.name in desired
    )


def _runner(observed: Observed) -> RunnerStatus | None:
    runner = observed.runner
    if runner is None:
        return observed.workplan.status.runner
    return RunnerStatus(job=runner.name, attempts=runner.attempts)


def _truncated(message: str) -> str:
    return message if len(message) <= _MESSAGE_LIMIT else message[: _MESSAGE_LIMIT - 1] + "…"
