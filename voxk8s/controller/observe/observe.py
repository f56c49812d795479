"""From the caches to one value about one WorkPlan."""

from __future__ import annotations

from typing import Protocol, TypeVar

from voxk8s import constants
from voxk8s.api import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.dask_cluster import dashboard_url
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import JobView, Observed, Problem
from voxk8s.controller.observe.workplan_codec import UnreadableWorkPlan
from voxk8s.controller.resolve.resolution_state import Invalid, Resolution


class _Child(Protocol):
    @property
    def deleting(self) -> object: ...


C = TypeVar("C", bound=_Child)


def observe(
    workplan: WorkPlanResource,
    state: ClusterState,
    resolution: Resolution,
    create_errors: tuple[Problem, ...] = (),
) -> Observed:
    """Gather what is known of a WorkPlan and its children.

    Children are found by the WorkPlan's label and told from those of an older WorkPlan of the same
    name by their owner. Whatever cluster a WorkPlan has is the right one: its spec cannot change
    while it runs, and a newer operator must not replace the clusters of runs under way.
    """
    if isinstance(workplan, UnreadableWorkPlan):
        resolution = Invalid(
            constants.REASON_INVALID_PLAN,
            f"The WorkPlan cannot be read: {workplan.flaw}. Its CRD and the operator are of"
            " different versions.",
        )
    namespace, uid = workplan.metadata.namespace, workplan.metadata.uid
    group = (namespace, child_names.label_value(workplan.metadata.name))
    clusters = sorted(
        (found for found in state.clusters.of(group) if found.owner == uid),
        key=lambda found: (found.deleting is not None, found.created, found.name),
    )
    cluster = clusters[0] if clusters else None
    name = cluster.name if cluster else ""
    job = _first([found for found in state.jobs.of(group) if found.owner == uid])
    deployments = [found for found in state.deployments.of(group) if found.cluster == name]
    owners = {owner for owner in (name, job.name if job else "") if owner}
    return Observed(
        workplan=workplan,
        resolution=resolution,
        cluster=cluster,
        extra_clusters=tuple(clusters[1:]),
        worker_group=next(
            (found for found in state.groups.of(group) if found.cluster == name), None
        ),
        autoscaler=_first([f for f in state.autoscalers.of(group) if f.cluster == name]),
        scheduler=_first([found for found in deployments if found.component == "scheduler"]),
        workers=tuple(found for found in deployments if found.component == "worker"),
        runner=job,
        pods=tuple(found for found in state.pods.of(group) if found.owner in owners),
        create_errors=create_errors,
        runner_pod_error=_runner_pod_error(state, namespace, job) if job else "",
        dashboard=dashboard_url(name, namespace) if name else None,
    )


def _runner_pod_error(state: ClusterState, namespace: str, job: JobView) -> str:
    """Give what the events say of a Job that gets no pod."""
    told = state.create_errors.of((namespace, job.name))
    return next((event.message for event in told if event.job == job.uid), "")


def _first(found: list[C]) -> C | None:
    """Give the child that stays, else one that is going."""
    return min(found, key=lambda child: bool(child.deleting), default=None)
