"""The informers of all kinds that the operator follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from voxk8s.api import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    DASK_WORKER_GROUPS,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    PODS,
    WORK_PLANS,
    ApiResource,
)
from voxk8s.constants import LABEL_WORKPLAN
from voxk8s.controller.observe import parse_views
from voxk8s.controller.observe.informer import Group, Informer
from voxk8s.controller.observe.observed import (
    AutoscalerView,
    ClusterView,
    DeploymentView,
    FailedCreateView,
    JobView,
    PodView,
    WorkerGroupView,
)
from voxk8s.controller.observe.workplan_codec import decode_workplan
from voxk8s.controller.work_queue import ObjectKey

T = TypeVar("T")

_OPTIONAL = frozenset({DASK_CLUSTERS, DASK_WORKER_GROUPS, DASK_AUTOSCALERS, EVENTS})
"""Kinds whose CRDs may be missing, and what only explains: the operator works without them."""
_JOBS_WITHOUT_PODS = "involvedObject.kind=Job,reason=FailedCreate"


class ClusterState:
    """WorkPlans and their children, as the watches tell; `wake` is told whose things changed."""

    def __init__(
        self, wake: Callable[[ObjectKey], None], gone: Callable[[WorkPlanResource], None]
    ) -> None:
        """Make empty informers."""
        self._wake = wake

        def child(resource: ApiResource, read: Callable[[Mapping[str, Any]], T]) -> Informer[T]:
            return Informer(
                resource, read, parse_views.workplan_label, self._changed, labels=LABEL_WORKPLAN
            )

        self.workplans: Informer[WorkPlanResource] = Informer(
            WORK_PLANS, decode_workplan, _own_group, self._changed, dropped=gone
        )
        self.clusters: Informer[ClusterView] = child(DASK_CLUSTERS, parse_views.cluster_view)
        self.groups: Informer[WorkerGroupView] = child(
            DASK_WORKER_GROUPS, parse_views.worker_group_view
        )
        self.autoscalers: Informer[AutoscalerView] = child(
            DASK_AUTOSCALERS, parse_views.autoscaler_view
        )
        self.deployments: Informer[DeploymentView] = child(DEPLOYMENTS, parse_views.deployment_view)
        self.jobs: Informer[JobView] = child(JOBS, parse_views.job_view)
        self.pods: Informer[PodView] = child(PODS, parse_views.pod_view)
        self.create_errors: Informer[FailedCreateView] = Informer(
            EVENTS,
            parse_views.failed_create_view,
            parse_views.involved_name,
            self._refused,
            fields=_JOBS_WITHOUT_PODS,
        )

    @property
    def informers(self) -> tuple[Informer[Any], ...]:
        """All informers."""
        return (
            self.workplans,
            self.clusters,
            self.groups,
            self.autoscalers,
            self.deployments,
            self.jobs,
            self.pods,
            self.create_errors,
        )

    @property
    def synced(self) -> bool:
        """Whether every informer knows what there is; kinds without a CRD do not count."""
        return all(c.synced.is_set() for c in self.informers if c.resource not in _OPTIONAL)

    async def wait_until_synced(self, patience: float = 5.0) -> None:
        """Wait for all informers, for those of the dask operator's kinds only a little."""
        for informer in self.informers:
            if informer.resource in _OPTIONAL:
                try:
                    await asyncio.wait_for(informer.synced.wait(), patience)
                except TimeoutError:
                    continue
            else:
                await informer.synced.wait()

    async def follow(
        self, kube: KubeClient, namespaces: tuple[str, ...], clock: Callable[[], float]
    ) -> None:
        """Keep all informers up to date, for ever; ends only when one of them breaks."""
        async with asyncio.TaskGroup() as tasks:
            for informer in self.informers:
                for namespace in namespaces or (None,):
                    tasks.create_task(informer.follow(kube, namespace, clock))

    def names(self) -> list[ObjectKey]:
        """Name all WorkPlans."""
        return [ObjectKey(*key) for key, _ in self.workplans.items()]

    def _changed(self, group: Group) -> None:
        for workplan in self.workplans.of(group):
            self._wake(ObjectKey(workplan.metadata.namespace, workplan.metadata.name))

    def _refused(self, job: Group) -> None:
        group = self.jobs.group(*job)
        if group is not None:
            self._changed(group)


def _own_group(thing: Mapping[str, Any]) -> str:
    return child_names.label_value(str(thing["metadata"]["name"]))
