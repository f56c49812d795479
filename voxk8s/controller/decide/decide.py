"""The decision: from an `Observed` value to actions. Pure, total and idempotent.

Once the actions are carried out and observed, only `RequeueAfter` is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from voxk8s import constants
from voxk8s.api.status import WorkPlanStatus
from voxk8s.controller.decide import actions, kube_events, status
from voxk8s.controller.decide.actions import Action, RequeueAfter
from voxk8s.controller.decide.derive_phase import derive_phase, is_readable
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import deadlines, quota, release, rerun, start, ttl
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolved, Resolving, Unresolved

_POLL_SECONDS = 2.0
"""Interval of reconciliation while something may change that no informer reports."""
_SLOW_POLL_SECONDS = 10.0
_ACTIVE_POLL_SECONDS = 15.0
_QUEUED_POLL_SECONDS = 60.0
_STARTING_POLLS = 8.0
"""How often a run that starts is looked at within the time that its cluster exists."""
_NO_RESULTS: Final[Mapping[str, Any]] = MappingProxyType({})
_DELETED = PhaseState(Phase.FAILED, "Deleted", "The WorkPlan is being deleted.")


def decide(observed: Observed, now: datetime) -> tuple[Action, ...]:
    """Return the actions that advance a WorkPlan, in the order to carry them out."""
    if observed.workplan.spec.is_managed_by_another:
        return ()
    if observed.workplan.metadata.deletion_timestamp is not None:
        return (actions.ForgetPlan(), *_stop_deleted(observed, now))
    if observed.sync_error:
        return tuple(_without_caches(observed, now))
    if rerun.is_under_way(observed) or (rerun.is_requested(observed) and is_readable(observed)):
        return tuple(_run_again(observed, now))
    state = derive_phase(observed, now)
    return (
        *_resolution(observed, state, now),
        *_create_children(observed, state, now),
        *_write_status(observed, state, now),
        *_delete_children(observed, state, now),
        *_quota(observed, state, now),
        *_requeue(observed, state, now),
    )


def _stop_deleted(observed: Observed, now: datetime) -> Iterator[Action]:
    """Yield what ends the run of a WorkPlan that a finalizer keeps; results are kept.

    Without a finalizer it is gone at once, and Kubernetes deletes the children by their owners.
    """
    if not observed.sync_error:
        yield from release.unneeded_children(observed, _DELETED, now)
        yield from quota.unneeded(observed, now, _DELETED.reason)
    if observed.sync_error or observed.cluster is not None or observed.autoscaler is not None:
        yield RequeueAfter(_POLL_SECONDS)


def _run_again(observed: Observed, now: datetime) -> Iterator[Action]:
    """Yield what says that the WorkPlan runs again, clears its last run away, and starts the next.

    The status is in progress first: an end must not be read while its results are being removed.
    """
    if not isinstance(observed.resolution, Unresolved):
        yield actions.ForgetPlan()
    if not rerun.is_under_way(observed):
        new = status.status_before_retry(observed, now)
        yield actions.WriteOperatorStatus(status.encode_status(new), live=True)
        yield from kube_events.events(observed.workplan.status, new, rerun.CLEARING)
    elif not is_readable(observed):
        state = derive_phase(rerun.as_new(observed), now)
        yield from report_obstacle(observed, state.reason, state.message, now)
        return
    elif not rerun.remains(observed, now):
        fresh = rerun.as_new(observed)
        state = derive_phase(fresh, now)
        new = status.operator_status(fresh, state, now)
        yield actions.RestartRun(status.encode_status(new))
        yield from kube_events.events(observed.workplan.status, new, state)
        return
    else:
        new = status.status_before_retry(observed, now)
        yield from _write_changes(observed, new, rerun.CLEARING)
    yield from rerun.leftovers(observed, now)
    yield RequeueAfter(_POLL_SECONDS)


def _without_caches(observed: Observed, now: datetime) -> Iterator[Action]:
    """Yield what reports that nothing is known of the children; all else has to wait."""
    message = f"The operator waits until it knows what exists: {observed.sync_error}"
    yield from report_obstacle(observed, constants.REASON_CACHES_NOT_SYNCED, message, now)
    yield RequeueAfter(_POLL_SECONDS)


def report_obstacle(
    observed: Observed, reason: str, message: str, now: datetime
) -> Iterator[Action]:
    """Yield what reports why nothing else is decided, unless it is reported or the run is over."""
    new = status.with_obstacle(observed, reason, message, now)
    old = observed.workplan.status
    if old.completion_time is not None or not status.has_changed(new, old):
        return
    yield actions.WriteOperatorStatus(status.encode_status(new))


def _resolution(observed: Observed, state: PhaseState, now: datetime) -> Iterator[Action]:
    """Yield what starts the resolution of the plan, or drops its result."""
    over = state.recorded or state.phase is Phase.SUSPENDED or state.stops_pods
    if over and not isinstance(observed.resolution, Unresolved):
        yield actions.ForgetPlan()
    if over or state.ended or state.needs_children or not is_readable(observed):
        return
    match observed.resolution:
        case Unresolved():
            yield actions.ResolvePlan()
        case Blocked(retry_at=retry_at) if retry_at <= now:
            yield actions.ResolvePlan()
        case _:
            pass


def _create_children(observed: Observed, state: PhaseState, now: datetime) -> Iterator[Action]:
    """Yield what creates children; before the status, since users wait for the results.

    The first status comes first, and the one that ends a suspension, which deletes children.
    """
    old = observed.workplan.status
    if state.needs_children and old.conditions and old.phase != Phase.SUSPENDED.value:
        yield from start.missing_children(observed, now)


def _write_status(observed: Observed, state: PhaseState, now: datetime) -> Iterator[Action]:
    old, new = observed.workplan.status, status.operator_status(observed, state, now)
    part = _runner_status(observed, state, now)
    if part is not None and state.ended and not status.has_runner_part(old):
        # One write is enough: no runner has written a part, which would have to be removed.
        yield from _write_changes(observed, new, state, part)
        return
    if part is not None:
        yield actions.WriteRunnerStatus(part)
    if not status.is_being_accepted(observed, state, now):
        yield from _write_changes(observed, new, state, status.own_results(old))


def _write_changes(
    observed: Observed,
    new: WorkPlanStatus,
    state: PhaseState,
    results: Mapping[str, Any] = _NO_RESULTS,
) -> Iterator[Action]:
    """Yield what writes the operator's part of the status, at once if its changes are urgent.

    `results` are written with it: the runner's part, where there was no runner.
    """
    old = observed.workplan.status
    if not status.has_changed(new, old):
        return
    if observed.status_wait > 0 and not status.is_urgent(new, old):
        yield actions.DeferStatus()
        yield RequeueAfter(observed.status_wait)
    else:
        fails = state.phase is Phase.FAILED and not state.recorded
        yield actions.WriteOperatorStatus({**results, **status.encode_status(new)}, live=fails)
        yield from kube_events.events(old, new, state)


def _runner_status(observed: Observed, state: PhaseState, now: datetime) -> dict[str, Any] | None:
    """Return the runner's part of the status if there is no runner to write it, else None."""
    old, resolution = observed.workplan.status, observed.resolution
    if not state.recorded and isinstance(resolution, Resolved):
        if state.ended and old.outcome is None and resolution.final_status is not None:
            return resolution.final_status
        if state.needs_children and observed.runner is None and resolution.counts is not None:
            return start.initial_run_status(resolution.counts, old)
    if state.ended or state.phase in (Phase.SUSPENDED, Phase.QUEUED):
        return status.stopped_run_status(observed, now)
    return None


def _delete_children(observed: Observed, state: PhaseState, now: datetime) -> Iterator[Action]:
    """Yield what deletes children that are not needed; after the status has the reason."""
    if state.stops_pods:
        yield from release.unneeded_children(observed, state, now)
    if state.needs_children or state.phase in (Phase.RESOLVING, Phase.PENDING, Phase.QUEUED):
        return
    keep = release.keeps_cluster(observed, state, now)
    yield from release.unneeded_children(observed, state, now, keep=keep)
    if state.recorded and not observed.live_pods:  # nothing waits for a pod that is lost
        yield from release.unneeded_access(observed, now)
    elif state.phase is Phase.SUSPENDED:
        yield from release.unneeded_access(observed, now, "the run is suspended")
    if state.recorded and ttl.is_over(observed, now):
        yield actions.DeleteWorkPlan()


def _quota(observed: Observed, state: PhaseState, now: datetime) -> Iterator[Action]:
    """Yield what asks Kueue for quota, or gives it up."""
    if is_readable(observed):
        workers, minimum = start.wanted_workers(observed)
        groups = start.wanted_groups(observed)
        yield from quota.steps(
            observed, state, now, workers=workers, minimum=minimum, groups=groups
        )


def _requeue(observed: Observed, state: PhaseState, now: datetime) -> Iterator[RequeueAfter]:
    """Yield when to reconcile next, if not only after a change."""
    if state.ended:
        delays = _delays_after_end(observed, now)
    elif state.phase is Phase.SUSPENDED:
        delays = [_POLL_SECONDS] if observed.cluster is not None else []
        delays += [_SLOW_POLL_SECONDS] if observed.access is not None else []
    else:
        delays = _delays_while_active(observed, state, now)
    if delays:
        yield RequeueAfter(max(0.05, min(delays)))


def _delays_after_end(observed: Observed, now: datetime) -> list[float]:
    left = ttl.seconds_left(observed.workplan, now)
    runner_active = observed.runner is not None and not observed.runner.finished
    access = observed.access is not None and not observed.access.deleting
    kept = release.seconds_kept(observed.workplan, now) if observed.cluster else 0.0
    delays = [seconds for seconds in (left, kept) if seconds]
    if runner_active or access or observed.cluster is not None or left == 0:
        delays.append(_SLOW_POLL_SECONDS)
    if observed.autoscaler is not None:
        delays.append(_POLL_SECONDS)
    return delays


def _delays_while_active(observed: Observed, state: PhaseState, now: datetime) -> list[float]:
    left = deadlines.seconds_left(observed, now)
    blocked = state.phase is Phase.PENDING and isinstance(observed.resolution, Blocked)
    waits = state.phase is Phase.QUEUED or blocked
    delays = [_QUEUED_POLL_SECONDS if waits else _ACTIVE_POLL_SECONDS]
    if status.is_being_accepted(observed, state, now):
        delays.append(status.acceptance_seconds(observed))
    if left is not None:
        delays.append(left)
    if state.stops_pods:
        delays.append(_POLL_SECONDS)
    if isinstance(observed.resolution, Blocked):
        delays.append((observed.resolution.retry_at - now).total_seconds())
    starting = state.phase is Phase.STARTING or observed.cluster is None
    if starting and not waits and not isinstance(observed.resolution, Resolving):
        delays.append(_starting_poll(observed, now))
    return delays


def _starting_poll(observed: Observed, now: datetime) -> float:
    """Return seconds that grow with the age of the cluster: hundreds may wait for a node."""
    age = (now - observed.cluster.created).total_seconds() if observed.cluster else 0.0
    return max(_POLL_SECONDS, age / _STARTING_POLLS)
