"""Deletion of the children that a run no longer needs: within seconds, and never results.

An autoscaler is deleted before its cluster. The dask operator polls the scheduler for it; while the
scheduler's name does not resolve, that call blocks the operator, and all clusters with it, for
minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.controller.decide.actions import ChildKind, DeleteChild
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import lost_pods
from voxk8s.controller.observe.observed import Observed

EXIT_GRACE = timedelta(seconds=30)
"""Time that the runner gets to exit after it wrote its outcome."""
AUTOSCALER_GRACE = timedelta(seconds=5)
"""Time that the deletion of a DaskCluster waits for its autoscaler to be gone."""


def autoscaler_may_poll(observed: Observed, now: datetime) -> bool:
    """Whether the dask operator may still poll the scheduler for the autoscaler."""
    autoscaler = observed.autoscaler
    return autoscaler is not None and (
        autoscaler.deleting is None or now - autoscaler.deleting < AUTOSCALER_GRACE
    )


def unneeded_children(
    observed: Observed, state: PhaseState, now: datetime, *, keep: bool = False
) -> Iterator[DeleteChild]:
    """Yield the deletions of all children that exist; `keep` is whether the cluster stays."""
    autoscaler = observed.autoscaler
    if autoscaler is not None and not autoscaler.deleting:
        yield DeleteChild(ChildKind.AUTOSCALER, autoscaler.name, autoscaler.uid, state.reason)
    known = (*observed.extra_clusters, *((observed.cluster,) if observed.cluster else ()))
    clusters = [cluster for cluster in known if not cluster.deleting]
    if keep:
        # Its autoscaler goes: it would remove the workers.
        clusters = [cluster for cluster in clusters if cluster is not observed.cluster]
    runner = observed.runner
    if runner and (runner.finished or runner.deleting or _is_exiting(observed, state, now)):
        runner = None  # It is kept for its log.
    for cluster in () if autoscaler_may_poll(observed, now) else clusters:
        yield DeleteChild(ChildKind.CLUSTER, cluster.name, cluster.uid, state.reason)
    if runner is not None:
        yield DeleteChild(ChildKind.RUNNER, runner.name, runner.uid, state.reason)


def keeps_cluster(observed: Observed, state: PhaseState, now: datetime) -> bool:
    """Whether the cluster of a failed run is kept for a while, to look at it."""
    cluster = observed.cluster
    if state.phase is not Phase.FAILED or cluster is None or cluster.deleting:
        return False
    return seconds_kept(observed.workplan, now) > 0


def seconds_kept(workplan: WorkPlanResource, now: datetime) -> float:
    """Return the seconds until the cluster of a run that fails, or has failed, is deleted."""
    end = workplan.status.completion_time or now
    kept = workplan.spec.cluster.keep_on_failure_seconds or 0
    return max(0.0, kept - (now - end).total_seconds())


def unneeded_access(
    observed: Observed, now: datetime, reason: str = "the run is over"
) -> Iterator[DeleteChild]:
    """Yield the deletion of accounts, policies and keys of a run that is over or suspended.

    Not before its last pod has ended: without its policies it could reach the whole network. The
    next run gets its own: `store` and `cluster` may have changed.
    """
    access = observed.access
    if access is not None and not access.deleting and not has_active_children(observed, now):
        yield DeleteChild(ChildKind.ACCESS, access.name, access.uid, reason)


def has_active_children(observed: Observed, now: datetime) -> bool:
    """Whether anything exists that has pods which are waited for, or may get some."""
    runner = observed.runner
    return (
        bool(lost_pods.awaited_pods(observed, now))
        or observed.cluster is not None
        or bool(observed.extra_clusters)
        or observed.autoscaler is not None
        or (runner is not None and not runner.finished)
    )


def _is_exiting(observed: Observed, state: PhaseState, now: datetime) -> bool:
    """Whether the runner wrote the outcome and has time left to exit by itself."""
    status = observed.workplan.status
    if not state.ended or status.outcome is None:
        return False
    end = status.completion_time
    return end is None or now - end < EXIT_GRACE
