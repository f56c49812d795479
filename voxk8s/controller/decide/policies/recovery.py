"""Repairs after failures of the dask operator: missing worker groups, leaked workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from voxk8s.controller.decide.actions import ChildKind, DeleteChild
from voxk8s.controller.decide.policies import lost_pods, release
from voxk8s.controller.observe.observed import Observed

WORKER_GROUP_GRACE = timedelta(seconds=15)
"""Time after its scheduler within which a cluster gets its default worker group."""
LEAK_GRACE = timedelta(seconds=60)
"""Time that a worker beyond the replicas of its group gets to become available."""
OPERATOR_GRACE = timedelta(seconds=15)
"""Time within which the dask operator handles a DaskCluster."""
DELETION_GRACE = timedelta(seconds=30)
"""Time that the deletion of a DaskCluster may take."""


def lacks_worker_group(observed: Observed, now: datetime) -> bool:
    """Whether the dask operator failed to create the default worker group: it never retries."""
    scheduler = observed.scheduler
    return (
        observed.cluster is not None
        and observed.worker_group is None
        and scheduler is not None
        and now - scheduler.created >= WORKER_GROUP_GRACE
    )


def is_unhandled(observed: Observed, now: datetime) -> bool:
    """Whether the dask operator does not handle the cluster."""
    cluster = observed.cluster
    return (
        cluster is not None
        and cluster.deleting is None
        and observed.scheduler is None
        and now - cluster.created >= OPERATOR_GRACE
    )


def has_rejected_credentials(observed: Observed) -> bool:
    """Whether the cluster's pods have credentials that the store rejected from a runner.

    Pods keep the credentials that they started with: the next runner reads the Secret again, and
    the workers have to do so, too.
    """
    cluster = observed.cluster
    if cluster is None:
        return False
    times = (pod.credentials_rejected_at for pod in observed.pods if pod.component == "runner")
    return any(time is not None and time > cluster.created for time in times)


def awaits_new_credentials(observed: Observed) -> bool:
    """Whether the next runner has yet to read the Secret: workers must not read it earlier."""
    runners = [pod for pod in observed.pods if pod.component == "runner"]
    rejected = any(pod.credentials_rejected_at for pod in runners)
    return rejected and not any(pod.ready for pod in runners)


def is_stuck_terminating(observed: Observed, now: datetime) -> bool:
    """Whether the finalizer of the dask operator keeps a deleted cluster."""
    clusters = (*observed.extra_clusters, *((observed.cluster,) if observed.cluster else ()))
    return any(c.deleting is not None and now - c.deleting >= DELETION_GRACE for c in clusters)


def repairs(observed: Observed, now: datetime) -> Iterator[DeleteChild]:
    """Yield the deletions after which the dask operator or `start` create children again."""
    for extra in observed.extra_clusters:
        if not extra.deleting:
            yield DeleteChild(
                ChildKind.CLUSTER, extra.name, extra.uid, "superseded by another cluster"
            )
    cluster = observed.cluster
    if cluster is None or cluster.deleting:
        return
    reason = replacement_reason(observed, now)
    if not reason:
        yield from _unfit_runner(observed, now)
        yield from _leaked_workers(observed, now)
        return
    autoscaler = observed.autoscaler
    if autoscaler is not None and autoscaler.deleting is None:
        yield DeleteChild(ChildKind.AUTOSCALER, autoscaler.name, autoscaler.uid, reason)
    if not release.autoscaler_may_poll(observed, now):
        yield DeleteChild(ChildKind.CLUSTER, cluster.name, cluster.uid, reason)


def replacement_reason(observed: Observed, now: datetime) -> str:
    """Return why the cluster has to be replaced; empty if it has not."""
    cluster = observed.cluster
    if cluster is None:
        return ""
    if cluster.failed:
        return "the dask operator reports an error"
    if has_rejected_credentials(observed):
        return "the store rejects the credentials of its workers"
    if lacks_worker_group(observed, now):
        return "its default worker group was not created"
    return ""


def _unfit_runner(observed: Observed, now: datetime) -> Iterator[DeleteChild]:
    """Yield the deletion of a runner whose cluster was replaced, or whose node is lost.

    Its Job replaces no pod that has not ended.
    """
    runner, cluster = observed.runner, observed.cluster
    if runner is None or cluster is None or runner.deleting or runner.finished:
        return
    if runner.cluster and runner.cluster != cluster.name:
        yield DeleteChild(ChildKind.RUNNER, runner.name, runner.uid, "its cluster was replaced")
    elif lost_pods.lost_runner(observed, now):
        yield DeleteChild(ChildKind.RUNNER, runner.name, runner.uid, "its node is lost")


def _leaked_workers(observed: Observed, now: datetime) -> Iterator[DeleteChild]:
    """Yield the deletions of pending workers beyond the replicas of their group, newest first."""
    group = observed.worker_group
    if group is None:
        return
    workers = [worker for worker in observed.workers if not worker.deleting and not worker.group]
    surplus = len(workers) - group.replicas
    pending = sorted(
        (w for w in workers if not w.available and now - w.created >= LEAK_GRACE),
        key=lambda worker: (worker.created, worker.name),
        reverse=True,
    )
    for worker in pending[: max(0, surplus)]:
        yield DeleteChild(
            ChildKind.WORKER,
            worker.name,
            worker.uid,
            "a pending worker beyond the replicas of its group",
        )
