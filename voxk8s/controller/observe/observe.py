"""From the informers to one value about one WorkPlan."""

from __future__ import annotations

import dataclasses
from typing import Protocol, TypeVar

from voxk8s import constants
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.dask_cluster import dashboard_url
from voxk8s.cluster.policy import Violation
from voxk8s.controller.observe import kueue_views
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import (
    ClusterView,
    JobView,
    Observed,
    Problem,
    WorkerGroupView,
)
from voxk8s.controller.resolve.resolution_state import Invalid, ResolutionState


class _Child(Protocol):
    @property
    def deleting(self) -> object: ...


C = TypeVar("C", bound=_Child)


def observe(
    workplan: WorkPlanResource,
    state: ClusterState,
    resolution: ResolutionState,
    create_errors: tuple[Problem, ...] = (),
    status_error: str = "",
    not_allowed: tuple[Violation, ...] = (),
    status_wait: float = 0.0,
    create_wait: float = 0.0,
) -> Observed:
    """Return what is known of a WorkPlan and its children.

    Children are found by the WorkPlan's label; the owner's uid excludes those of an earlier
    WorkPlan of the same name. An existing DaskCluster is used as it is: the spec cannot change
    during a run, and an upgraded operator must not replace the clusters of active runs. For the
    same reason `not_allowed`, what the policy refuses, ends no run that has children.
    """
    namespace, uid = workplan.metadata.namespace, workplan.metadata.uid
    key = (namespace, child_names.label_value(workplan.metadata.name))
    clusters = sorted(
        (found for found in state.clusters.by_index(key) if found.owner == uid),
        key=lambda found: (found.deleting is not None, found.created, found.name),
    )
    cluster = clusters[0] if clusters else None
    name = cluster.name if cluster else ""
    job = _first([found for found in state.jobs.by_index(key) if found.owner == uid])
    deployments = [found for found in state.deployments.by_index(key) if found.cluster == name]
    groups = [
        dataclasses.replace(found, error=_dask_error(state, namespace, found))
        for found in state.worker_groups.by_index(key)
        if found.cluster == name
    ]
    if not_allowed and cluster is None and job is None:
        message = "; ".join(str(violation) for violation in not_allowed)
        resolution = Invalid(constants.REASON_NOT_ALLOWED, message)
    queue = workplan.metadata.labels.get(constants.LABEL_QUEUE, "") if state.kueue else ""
    workload = _first([found for found in state.workloads.by_index(key) if found.owner == uid])
    flavors = {flavor.name: flavor for _, flavor in state.flavors.items()} if workload else {}
    placements, unknown = (
        kueue_views.placements(workload, flavors) if workload is not None else ({}, ())
    )
    owners = {owner for owner in (name, job.name if job else "") if owner}
    pods = tuple(state.pods.by_index(key))
    return Observed(
        workplan=workplan,
        resolution=resolution,
        cluster=cluster,
        extra_clusters=tuple(clusters[1:]),
        worker_group=next((group for group in groups if not group.group), None),
        worker_groups=tuple(group for group in groups if group.group),
        autoscaler=_first([a for a in state.autoscalers.by_index(key) if a.cluster == name]),
        scheduler=_first([found for found in deployments if found.component == "scheduler"]),
        workers=tuple(found for found in deployments if found.component == "worker"),
        runner=job,
        access=_first([found for found in state.accounts.by_index(key) if found.owner == uid]),
        queue=queue,
        workload=workload,
        placements=placements,
        unknown_flavors=unknown,
        pods=tuple(found for found in pods if found.owner in owners),
        live_pods=tuple(found for found in pods if not found.finished),
        create_errors=create_errors,
        create_wait=create_wait,
        cluster_error=_dask_error(state, namespace, cluster) if cluster else "",
        status_error=status_error,
        status_wait=status_wait,
        sync_error=state.sync_error(namespace) or (queue and state.kueue_error(namespace)),
        runner_pod_error=_runner_pod_error(state, namespace, job) if job else "",
        dashboard=dashboard_url(name, namespace) if name else None,
    )


def _runner_pod_error(state: ClusterState, namespace: str, job: JobView) -> str:
    """Return the message of the event that says why a Job has no pod; empty if there is none."""
    events = state.failed_creates.by_index((namespace, job.name))
    return next((event.message for event in events if event.job_uid == job.uid), "")


def _dask_error(state: ClusterState, namespace: str, about: ClusterView | WorkerGroupView) -> str:
    """Return the last event that says what the dask operator could not do; empty if none."""
    events = state.cluster_errors.by_index((namespace, about.name))
    own = sorted((e.time, e.message) for e in events if e.uid == about.uid)
    return own[-1][1] if own else ""


def _first(children: list[C]) -> C | None:
    """Return the first child that is not being deleted, else the first one, or None."""
    return min(children, key=lambda child: bool(child.deleting), default=None)
