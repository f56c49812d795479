"""Runs that keep each other from beginning, since their pods fill the nodes. Pure.

Scheduler and runner of a run are there before its workers. Of runs that start together these small
pods may fill all nodes: no worker fits, no run ends, and none would ever begin. So all but the
first of those give way: their pods are deleted, and they wait for their turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.observe.observed import Observed, Problem

_START = timedelta(seconds=30)
"""Time that a run takes at most from its cluster on until it begins, if nothing is in its way."""


def has_begun(observed: Observed) -> bool:
    """Whether a run computes, or may at once: its runner and a worker are ready."""
    if observed.computes:
        return True
    runner_ready = any(pod.component == "runner" and pod.ready for pod in observed.pods)
    return bool(observed.ready_workers) and runner_ready


def may_compute(observed: Observed) -> bool:
    """Whether a run computes, or has begun with a worker of each group that it needs.

    Two runs may each have the worker that the other one needs.
    """
    return observed.computes or (has_begun(observed) and not observed.lacking_groups)


def lacks_room(observed: Observed, now: datetime, patience: timedelta) -> bool:
    """Whether a run has not begun for so long after its cluster, and a pod of it fits on no node.

    Kueue decides about runs with its quota.
    """
    cluster = observed.cluster
    if not is_to_begin(observed):
        return False
    if cluster is None or cluster.deleting or observed.queue or may_compute(observed):
        return False
    return has_had_time(observed, now, patience) and is_crowded(observed)


def is_starting(
    observed: Observed, now: datetime, patience: timedelta, waits_since: datetime
) -> bool:
    """Whether a run that has started is to begin soon, or lacks room since less than `patience`.

    One whose image cannot be pulled, or that takes long, keeps no others from starting; nor does
    one without a cluster that was to be created at once since `waits_since`.
    """
    if not is_to_begin(observed):
        return False
    if observed.cluster is None:
        return now - waits_since < _START
    if may_compute(observed) or observed.cluster.deleting is not None:
        return False
    if is_crowded(observed):
        return not has_had_time(observed, now, max(patience, _START))
    return not has_had_time(observed, now, _START) and not any(_problems(observed))


def is_to_begin(observed: Observed) -> bool:
    """Whether a run is wanted: a cluster that is kept for a while after its end begins nothing."""
    plan = observed.workplan
    deleted = plan.metadata.deletion_timestamp is not None
    return not (plan.finished or plan.spec.suspend or deleted)


def is_crowded(observed: Observed) -> bool:
    """Whether a pod of a run fits on no node."""
    return any(each.reason == constants.REASON_UNSCHEDULABLE for each in _problems(observed))


def has_had_time(observed: Observed, now: datetime, patience: timedelta) -> bool:
    """Whether a run has had a cluster for so long."""
    return observed.cluster is not None and now - observed.cluster.created >= patience


def gives_way(observed: Observed) -> PhaseState | None:
    """Return Queued for a run that has to give way; None for others."""
    if not observed.gives_way:
        return None
    return PhaseState(Phase.QUEUED, constants.REASON_NO_ROOM, observed.queued)


def _problems(observed: Observed) -> Iterator[Problem]:
    deployments = (observed.scheduler, *observed.workers)
    for pod in observed.pods:
        yield from pod.problems
    for each in deployments:
        yield from each.problems if each else ()
