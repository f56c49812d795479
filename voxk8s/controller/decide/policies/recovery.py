"""Repairs of what the dask operator leaves behind: lost worker groups, leaked workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from voxk8s.controller.decide.actions import ChildKind, DeleteChild
from voxk8s.controller.decide.policies import scaling
from voxk8s.controller.observe.observed import Observed

GROUP_GRACE = timedelta(seconds=15)
"""How long after its scheduler a cluster may be without its default worker group."""
LEAK_GRACE = timedelta(seconds=60)
"""How long a worker that nobody asks for may take to start before it goes."""
OPERATOR_GRACE = timedelta(seconds=15)
"""How long the dask operator may take to react to a DaskCluster."""
DELETION_GRACE = timedelta(seconds=30)
"""How long a DaskCluster may take to go."""


def lacks_worker_group(observed: Observed, now: datetime) -> bool:
    """Say whether the cluster never got its default worker group, and will not get it."""
    scheduler = observed.scheduler
    return (
        observed.cluster is not None
        and observed.worker_group is None
        and scheduler is not None
        and now - scheduler.created >= GROUP_GRACE
    )


def is_unhandled(observed: Observed, now: datetime) -> bool:
    """Say whether the dask operator does not react to the cluster."""
    cluster = observed.cluster
    return (
        cluster is not None
        and cluster.deleting is None
        and observed.scheduler is None
        and now - cluster.created >= OPERATOR_GRACE
    )


def has_rejected_credentials(observed: Observed) -> bool:
    """Say whether the cluster's pods have credentials that the store refused to a runner.

    The next runner reads the Secret anew, and so must the workers: pods keep what they began with.
    """
    cluster = observed.cluster
    if cluster is None:
        return False
    ends = (pod.credentials_rejected_at for pod in observed.pods if pod.component == "runner")
    return any(end is not None and end > cluster.created for end in ends)


def awaits_new_credentials(observed: Observed) -> bool:
    """Say whether the next runner is still to read the Secret: no worker may read it earlier."""
    runners = [pod for pod in observed.pods if pod.component == "runner"]
    return any(pod.credentials_rejected_at for pod in runners) and not any(
        pod.ready for pod in runners
    )


def is_stuck_terminating(observed: Observed, now: datetime) -> bool:
    """Say whether a cluster should be gone but for the dask operator's finalizers."""
    clusters = (*observed.extra_clusters, *((observed.cluster,) if observed.cluster else ()))
    return any(c.deleting is not None and now - c.deleting >= DELETION_GRACE for c in clusters)


def repairs(observed: Observed, now: datetime) -> Iterator[DeleteChild]:
    """Give the deletions after which the dask operator makes things right."""
    for old in observed.extra_clusters:
        if not old.deleting:
            yield DeleteChild(ChildKind.CLUSTER, old.name, "made from an older spec")
    cluster = observed.cluster
    if cluster is None or cluster.deleting:
        return
    why = replacement_reason(observed, now)
    if not why:
        yield from _stale_runner(observed)
        yield from _leaked_workers(observed, now)
        return
    scaler = observed.autoscaler
    if scaler is not None and scaler.deleting is None:
        yield DeleteChild(ChildKind.AUTOSCALER, scaler.name, why)
    if not scaling.autoscaler_may_poll(observed, now):
        yield DeleteChild(ChildKind.CLUSTER, cluster.name, why)


def replacement_reason(observed: Observed, now: datetime) -> str:
    """Say why the cluster has to be replaced; empty if it has not."""
    cluster = observed.cluster
    if cluster is None:
        return ""
    if cluster.failed:
        return "the dask operator reports an error"
    if has_rejected_credentials(observed):
        return "the store refuses its workers' credentials"
    if lacks_worker_group(observed, now):
        return "its default worker group was never made"
    return ""


def _stale_runner(observed: Observed) -> Iterator[DeleteChild]:
    """Replace a runner that was told to use a cluster that is gone."""
    runner, cluster = observed.runner, observed.cluster
    if runner is None or cluster is None or runner.deleting or runner.finished:
        return
    if runner.cluster and runner.cluster != cluster.name:
        yield DeleteChild(ChildKind.RUNNER, runner.name, "its cluster was replaced by another one")


def _leaked_workers(observed: Observed, now: datetime) -> Iterator[DeleteChild]:
    group = observed.worker_group
    if group is None:
        return
    workers = [worker for worker in observed.workers if not worker.deleting]
    beyond = len(workers) - group.replicas
    idle = sorted(
        (w for w in workers if not w.available and now - w.created >= LEAK_GRACE),
        key=lambda worker: (worker.created, worker.name),
        reverse=True,
    )
    for worker in idle[: max(0, beyond)]:
        yield DeleteChild(ChildKind.WORKER, worker.name, "a pending worker that nobody asks for")
