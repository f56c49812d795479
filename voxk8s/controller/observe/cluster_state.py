"""The caches of all kinds that the operator follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from voxk8s.api import WorkPlanResource
from voxk8s.cluster import names
from voxk8s.cluster.kube import Kube
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    DASK_WORKER_GROUPS,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    PODS,
    WORK_PLANS,
    Kind,
)
from voxk8s.constants import LABEL_WORKPLAN
from voxk8s.controller.observe import views
from voxk8s.controller.observe.informers import Cache, Group
from voxk8s.controller.observe.observed import (
    AutoscalerView,
    ClusterView,
    DeploymentView,
    GroupView,
    JobView,
    PodView,
    RefusalView,
)
from voxk8s.controller.observe.workplan_codec import read_workplan
from voxk8s.controller.queue import ObjectKey

T = TypeVar("T")

_OPTIONAL = frozenset({DASK_CLUSTERS, DASK_WORKER_GROUPS, DASK_AUTOSCALERS, EVENTS})
"""Kinds whose CRDs may be missing, and what only explains: the operator works without them."""
_JOBS_WITHOUT_PODS = "involvedObject.kind=Job,reason=FailedCreate"


class ClusterState:
    """WorkPlans and their children, as the watches tell; `wake` is told whose things changed."""

    def __init__(
        self, wake: Callable[[ObjectKey], None], gone: Callable[[WorkPlanResource], None]
    ) -> None:
        """Make empty caches."""
        self._wake = wake

        def child(kind: Kind, read: Callable[[Mapping[str, Any]], T]) -> Cache[T]:
            return Cache(kind, read, views.workplan_label, self._changed, labels=LABEL_WORKPLAN)

        self.workplans: Cache[WorkPlanResource] = Cache(
            WORK_PLANS, read_workplan, _own_group, self._changed, dropped=gone
        )
        self.clusters: Cache[ClusterView] = child(DASK_CLUSTERS, views.cluster_view)
        self.groups: Cache[GroupView] = child(DASK_WORKER_GROUPS, views.group_view)
        self.autoscalers: Cache[AutoscalerView] = child(DASK_AUTOSCALERS, views.autoscaler_view)
        self.deployments: Cache[DeploymentView] = child(DEPLOYMENTS, views.deployment_view)
        self.jobs: Cache[JobView] = child(JOBS, views.job_view)
        self.pods: Cache[PodView] = child(PODS, views.pod_view)
        self.refusals: Cache[RefusalView] = Cache(
            EVENTS,
            views.refusal_view,
            views.involved_name,
            self._refused,
            fields=_JOBS_WITHOUT_PODS,
        )

    @property
    def caches(self) -> tuple[Cache[Any], ...]:
        """All caches."""
        return (
            self.workplans,
            self.clusters,
            self.groups,
            self.autoscalers,
            self.deployments,
            self.jobs,
            self.pods,
            self.refusals,
        )

    @property
    def synced(self) -> bool:
        """Whether every cache knows what there is; kinds without a CRD do not count."""
        return all(c.synced.is_set() for c in self.caches if c.kind not in _OPTIONAL)

    async def wait_until_synced(self, patience: float = 5.0) -> None:
        """Wait for all caches, for those of the dask operator's kinds only a little."""
        for cache in self.caches:
            if cache.kind in _OPTIONAL:
                try:
                    await asyncio.wait_for(cache.synced.wait(), patience)
                except TimeoutError:
                    continue
            else:
                await cache.synced.wait()

    async def follow(
        self, kube: Kube, namespaces: tuple[str, ...], clock: Callable[[], float]
    ) -> None:
        """Keep all caches up to date, for ever; ends only when one of them breaks."""
        async with asyncio.TaskGroup() as tasks:
            for cache in self.caches:
                for namespace in namespaces or (None,):
                    tasks.create_task(cache.follow(kube, namespace, clock))

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
    return names.label_value(str(thing["metadata"]["name"]))
