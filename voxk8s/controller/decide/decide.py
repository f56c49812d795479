"""The decision: from what is observed to what is to be done. Pure, total, and idempotent.

Carrying the actions out and observing again leads to a state in which nothing but `RequeueAfter` is
decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from voxk8s.controller.decide import events, status
from voxk8s.controller.decide.actions import (
    Action,
    DeleteWorkPlan,
    ForgetPlan,
    RequeueAfter,
    ResolvePlan,
    WriteOperatorStatus,
    WriteRunnerStatus,
)
from voxk8s.controller.decide.derive_phase import derive_phase
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import deadlines, release, start, ttl
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolved, Resolving, Unresolved

_SOON = 2.0
"""Seconds between looks while something is on its way that no watch may tell of."""


def decide(observed: Observed, now: datetime) -> tuple[Action, ...]:
    """Give the actions that bring a WorkPlan further, in the order to carry them out."""
    if observed.workplan.metadata.deletion_timestamp is not None:
        # Children go by their owner references; results belong to nobody.
        return (ForgetPlan(),)
    stage = derive_phase(observed, now)
    return (
        *_plan(observed, stage, now),
        *_children_first(observed, stage, now),
        *_status(observed, stage, now),
        *_children_last(observed, stage, now),
        *_later(observed, stage, now),
    )


def _plan(observed: Observed, stage: PhaseState, now: datetime) -> Iterator[Action]:
    """Find out about the plan, or drop what is known of it."""
    over = stage.recorded or stage.phase is Phase.SUSPENDED
    if over and not isinstance(observed.resolution, Unresolved):
        yield ForgetPlan()
    if over or stage.ended or stage.working:
        return
    match observed.resolution:
        case Unresolved():
            yield ResolvePlan()
        case Blocked(retry_at=retry_at) if retry_at <= now:
            yield ResolvePlan()
        case _:
            pass


def _children_first(observed: Observed, stage: PhaseState, now: datetime) -> Iterator[Action]:
    """Start what a run needs before telling about it: a user waits for results, not for news."""
    if stage.working and observed.workplan.status.conditions:
        yield from start.missing_children(observed, now)


def _status(observed: Observed, stage: PhaseState, now: datetime) -> Iterator[Action]:
    old = observed.workplan.status
    part = _run_part(observed, stage)
    if part is not None:
        yield WriteRunnerStatus(part)
    new = status.operator_status(observed, stage, now)
    if status.has_changed(new, old):
        yield WriteOperatorStatus(status.encode_status(new))
        yield from events.events(old, new, stage)


def _run_part(observed: Observed, stage: PhaseState) -> dict[str, Any] | None:
    """Give the runner's part of the status where there is no runner to write it."""
    old, resolution = observed.workplan.status, observed.resolution
    if not stage.recorded and isinstance(resolution, Resolved):
        if stage.ended and old.outcome is None and resolution.final_status is not None:
            return resolution.final_status
        if stage.working and observed.runner is None and resolution.counts is not None:
            return start.initial_run_status(resolution.counts, old)
    if stage.ended or stage.phase is Phase.SUSPENDED:
        return status.stopped_run_status(observed)
    return None


def _children_last(observed: Observed, stage: PhaseState, now: datetime) -> Iterator[Action]:
    """Give back what is not needed, once the status tells why."""
    if stage.working or stage.phase in (Phase.RESOLVING, Phase.PENDING):
        return
    yield from release.unneeded_children(observed, stage, now)
    if stage.recorded and ttl.seconds_left(observed.workplan, now) == 0:
        yield DeleteWorkPlan()


def _later(observed: Observed, stage: PhaseState, now: datetime) -> Iterator[RequeueAfter]:
    waits: list[float] = []
    if stage.ended:
        left = ttl.seconds_left(observed.workplan, now)
        waits += [left] if left else []
        busy = observed.runner is not None and not observed.runner.finished
        waits += [_SOON * 5] if busy or observed.cluster is not None else []
        waits += [_SOON] if observed.autoscaler is not None else []
    else:
        left = deadlines.seconds_left(observed, now)
        waits += [left] if left is not None else []
        waits += [status.HEARTBEAT.total_seconds()] if stage.phase is not Phase.SUSPENDED else []
        if isinstance(observed.resolution, Blocked):
            waits.append((observed.resolution.retry_at - now).total_seconds())
        if stage.phase is Phase.STARTING or observed.cluster is None:
            waits += [_SOON] if not isinstance(observed.resolution, Resolving) else []
        if stage.phase is Phase.SUSPENDED:
            # What is given back may need a second word.
            waits = [_SOON] if observed.cluster is not None else []
    if waits:
        yield RequeueAfter(max(0.05, min(waits)))
