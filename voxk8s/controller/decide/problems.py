"""What keeps the children of a run from working, the worst problem first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.controller.decide.policies import lost_pods, recovery
from voxk8s.controller.observe.observed import ClusterView, Observed, PodView, Problem

DASK_OPERATOR_HINT = "Check that the dask-kubernetes operator is installed and running."
POD_GRACE = timedelta(seconds=10)
"""Time within which the runner's Job normally creates its pod."""
WORKERS_GRACE = timedelta(seconds=60)
"""Time within which the dask operator makes the workers of a group, also if many clusters start."""
_NO_WORKERS = "see its log; a DaskWorkerGroup that is deleted is made again, with its workers"
SEVERITY = (
    constants.REASON_DASK_OPERATOR_MISSING,
    constants.REASON_DASK_OPERATOR_FAILED,
    constants.REASON_POD_REJECTED,
    constants.REASON_IMAGE_PULL_FAILED,
    constants.REASON_OUT_OF_MEMORY,
    constants.REASON_UNSCHEDULABLE,
    constants.REASON_WORKER_LOST,
)
"""Reasons, from the one that explains most to the one that explains least."""


def worst_problem(observed: Observed, now: datetime) -> Problem | None:
    """Return the problem of the children to report first, or None."""
    return min(_problems(observed, now), key=lambda p: _rank(p.reason), default=None)


def _problems(observed: Observed, now: datetime) -> Iterator[Problem]:
    yield from observed.create_errors
    if observed.cluster is not None and recovery.is_unhandled(observed, now):
        yield _no_scheduler(observed.cluster, observed.cluster_error)
    yield from _missing_workers(observed, now)
    yield from _missing_pods(observed, now)
    yield from lost_pods.problems(observed, now)
    for pod in observed.pods:
        yield from (problem for problem in pod.problems if _matters(observed, pod, problem))


def _no_scheduler(cluster: ClusterView, error: str) -> Problem:
    """Return why a cluster has no scheduler: the dask operator is not there, or could not do it."""
    if not cluster.handled and not error:
        return Problem(
            constants.REASON_DASK_OPERATOR_MISSING,
            f"Nothing has handled DaskCluster {cluster.name}. {DASK_OPERATOR_HINT}",
        )
    return Problem(
        constants.REASON_DASK_OPERATOR_FAILED,
        f"The dask-kubernetes operator has not created the scheduler of DaskCluster {cluster.name}:"
        f" {error or 'see its log'}",
    )


def _missing_workers(observed: Observed, now: datetime) -> Iterator[Problem]:
    """Yield why groups have fewer workers than they are to have, and none that is ready.

    The number of the default group varies: it counts until its first worker.
    """
    groups = (*((observed.worker_group,) if observed.worker_group else ()), *observed.worker_groups)
    for group in groups:
        made = sum(each.group == group.group for each in observed.workers)
        if made >= group.replicas or _has_ready_worker(observed, group.group):
            continue
        if not group.group and observed.workplan.status.workers_ready_time is not None:
            continue
        late = group.created is not None and now - group.created >= WORKERS_GRACE
        if group.error or late:
            yield Problem(
                constants.REASON_DASK_OPERATOR_FAILED,
                "The dask-kubernetes operator has not created the workers of DaskWorkerGroup"
                f" {group.name}: {group.error or _NO_WORKERS}",
            )


def _missing_pods(observed: Observed, now: datetime) -> Iterator[Problem]:
    """Yield what prevents pods from being created."""
    if observed.scheduler is not None and not observed.scheduler.available:
        yield from observed.scheduler.problems
    for worker in observed.workers:
        if worker.problems and not _has_ready_worker(observed, worker.group):
            yield from worker.problems
    runner = observed.runner
    if runner is None or runner.attempts or runner.finished or runner.deleting:
        return
    if runner.suspended:
        yield Problem(
            constants.REASON_POD_REJECTED,
            f"Job {runner.name} was suspended, and not by voxk8s: Kueue does that to Jobs without a"
            " queue (manageJobsWithoutQueueName). See kueue in the chart's values.",
        )
        return
    # Unlike a Deployment, a Job has no such condition in its status: only its events say why.
    if observed.runner_pod_error:
        yield Problem(
            constants.REASON_POD_REJECTED,
            f"The pod of Job {runner.name} is rejected: {observed.runner_pod_error}",
        )
    elif now - runner.created >= POD_GRACE:
        yield Problem(
            constants.REASON_POD_REJECTED,
            f"Job {runner.name} has no pod: a quota or an admission policy may reject it. See"
            f" kubectl describe job/{runner.name}.",
        )


def _matters(observed: Observed, pod: PodView, problem: Problem) -> bool:
    """Whether a pod's problem keeps the run from working, or announces that it will."""
    if pod.deleting:
        return False
    if problem.reason == constants.REASON_OUT_OF_MEMORY:
        return True
    match pod.component:
        case "worker":
            return not _has_ready_worker(observed, pod.group)
        case "runner":
            return not pod.ready and not pod.finished  # The Job replaces a finished pod.
        case _:
            return not pod.ready


def _has_ready_worker(observed: Observed, group: str) -> bool:
    return any(
        pod.component == "worker" and pod.group == group and pod.ready for pod in observed.pods
    )


def _rank(reason: str) -> int:
    return SEVERITY.index(reason) if reason in SEVERITY else len(SEVERITY)
