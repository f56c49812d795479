"""Runs that keep each other from beginning, since their pods fill the nodes. Pure.

Scheduler and runner of a run are there before its workers. Of runs that start together these small
pods may fill all nodes: no worker fits, no run ends, and none would ever begin. So all but the
first of those give way: their pods are deleted, and they wait for their turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.observe.observed import Observed, Problem


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
    cluster, plan = observed.cluster, observed.workplan
    if plan.finished or plan.spec.suspend or plan.metadata.deletion_timestamp is not None:
        return False  # A cluster that is kept for a while begins nothing.
    if cluster is None or cluster.deleting or observed.queue or may_compute(observed):
        return False
    return has_had_time(observed, now, patience) and _is_unschedulable(observed)


def has_had_time(observed: Observed, now: datetime, patience: timedelta) -> bool:
    """Whether a run has had a cluster for so long."""
    return observed.cluster is not None and now - observed.cluster.created >= patience


def gives_way(observed: Observed) -> PhaseState | None:
    """Return Queued for a run that has to give way; None for others."""
    if not observed.gives_way:
        return None
    return PhaseState(Phase.QUEUED, constants.REASON_NO_ROOM, observed.queued)


def _is_unschedulable(observed: Observed) -> bool:
    deployments = (observed.scheduler, *observed.workers)
    problems: Iterable[Problem] = (
        *(problem for pod in observed.pods for problem in pod.problems),
        *(problem for each in deployments if each for problem in each.problems),
    )
    return any(problem.reason == constants.REASON_UNSCHEDULABLE for problem in problems)
