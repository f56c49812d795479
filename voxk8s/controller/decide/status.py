"""The operator's part of the status: built whole from a stage, written when it says news. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from voxk8s import api
from voxk8s.api import ClusterStatus, Condition, RunnerStatus, WorkPlanStatus
from voxk8s.controller.decide import conditions
from voxk8s.controller.decide.conditions import ConditionState
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import suspension
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Resolved

_MESSAGE_LIMIT = 4096
RUNNER_FIELDS: dict[str, Any] = {
    "operations": None,
    "progress": None,
    "results": None,
    "results_omitted": None,
    "failures": None,
    "failures_omitted": None,
    "outcome": None,
    "waiting": None,
    "report": None,
    "run_url": None,
}
"""What the runner writes, and the operator leaves alone."""
HEARTBEAT = timedelta(seconds=15)
"""How old the duration of a run that lasts may get in the status."""


def operator_status(observed: Observed, stage: PhaseState, now: datetime) -> WorkPlanStatus:
    """Give all that the operator says about a WorkPlan; what the runner says is left out."""
    workplan, old = observed.workplan, observed.workplan.status
    now = now.replace(microsecond=0)
    pause = suspension.suspension(workplan, now)
    start = old.start_time or now
    end = old.completion_time or (now if stage.ended else None)
    ready_now = old.workers_ready_time is None and observed.ready_workers > 0
    digest = (
        observed.resolution.source_digest if isinstance(observed.resolution, Resolved) else None
    )
    part = WorkPlanStatus(
        observed_generation=workplan.metadata.generation,
        conditions=_conditions(observed, stage, now),
        phase=stage.phase.value,
        reason=stage.reason,
        message=_cut(stage.message),
        start_time=start,
        completion_time=end,
        workers_ready_time=now if ready_now else old.workers_ready_time,
        suspend_time=None if stage.ended else pause.since,
        suspended_seconds=pause.past_seconds or None,
        cluster=_cluster(observed, stage),
        runner=_runner(observed),
        source_digest=digest or old.source_digest,
    )
    duration = suspension.active_time(
        msgspec.structs.replace(workplan, status=msgspec.structs.replace(part, duration=None)),
        now,
    )
    return msgspec.structs.replace(part, duration=_duration(old, stage, duration))


def stopped_run_status(observed: Observed) -> dict[str, Any] | None:
    """Give the runner's part of the status once nobody computes any more; None where it fits.

    A runner that was stopped had no time to say that what it computed waits again.
    """
    old, runner = observed.workplan.status, observed.runner
    counts = old.operations
    if counts is None or not counts.running or (runner is not None and not runner.finished):
        return None
    pending = counts.pending + counts.running
    kept = {name: getattr(old, name) for name in RUNNER_FIELDS}
    kept["operations"] = msgspec.structs.replace(counts, running=0, pending=pending)
    return api.encode(WorkPlanStatus(**kept | {"waiting": None}))


def has_changed(part: WorkPlanStatus, old: WorkPlanStatus) -> bool:
    """Say whether writing `part` would change what the operator has said."""
    return _sorted(part) != _sorted(msgspec.structs.replace(old, **RUNNER_FIELDS))


def _sorted(part: WorkPlanStatus) -> WorkPlanStatus:
    """Put conditions into one order: the API server need not keep the order they came in."""
    found = tuple(sorted(part.conditions, key=lambda condition: condition.type))
    return msgspec.structs.replace(part, conditions=found)


def encode_status(part: WorkPlanStatus) -> dict[str, Any]:
    """Turn a part into JSON data for the API server."""
    data = api.encode(part)
    data["observedGeneration"] = part.observed_generation
    return data


def _conditions(observed: Observed, stage: PhaseState, now: datetime) -> tuple[Condition, ...]:
    found = observed.workplan.status.conditions
    generation = observed.workplan.metadata.generation
    for claim in _condition_states(observed, stage, now):
        found = api.set_condition(
            found,
            claim.type,
            claim.status,
            claim.reason,
            _cut(claim.message),
            now=now,
            generation=generation,
        )
    return found


def _condition_states(
    observed: Observed, stage: PhaseState, now: datetime
) -> Iterator[ConditionState]:
    yield conditions.reconciling(stage)
    yield conditions.stalled(stage)
    yield conditions.ready(stage)
    yield conditions.succeeded(stage)
    yield conditions.store_ready(observed)
    yield conditions.cluster_ready(observed, stage, now)
    if (claim := conditions.deterministic(observed)) is not None:
        yield claim


def _cluster(observed: Observed, stage: PhaseState) -> ClusterStatus | None:
    old = observed.workplan.status.cluster
    if observed.cluster is None or not stage.working:
        return msgspec.structs.replace(old, workers=0, dashboard_url=None) if old else None
    return ClusterStatus(
        name=observed.cluster.name,
        dashboard_url=observed.dashboard,
        workers=observed.ready_workers,
    )


def _runner(observed: Observed) -> RunnerStatus | None:
    runner = observed.runner
    if runner is None:
        return observed.workplan.status.runner
    return RunnerStatus(job=runner.name, attempts=runner.attempts)


def _duration(old: WorkPlanStatus, stage: PhaseState, active: timedelta) -> str | None:
    """Give the duration; while the run lasts it moves on once in a HEARTBEAT only."""
    if stage.recorded or stage.phase is Phase.SUSPENDED:
        return old.duration
    seconds = int(active.total_seconds())
    if not stage.ended:
        seconds -= seconds % int(HEARTBEAT.total_seconds())
    return _words(seconds) if seconds or stage.ended else old.duration


def _words(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{seconds:02}s" if minutes else f"{seconds}s"


def _cut(message: str) -> str:
    return message if len(message) <= _MESSAGE_LIMIT else message[: _MESSAGE_LIMIT - 1] + "…"
