"""The caches of all kinds that the operator follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from voxk8s.api import Source, WorkPlanResource, decode_resource
from voxk8s.cluster import names
from voxk8s.cluster.kinds import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    DASK_WORKER_GROUPS,
    DEPLOYMENTS,
    JOBS,
    PODS,
    WORK_PLANS,
    Kind,
)
from voxk8s.cluster.kube import Kube
from voxk8s.constants import LABEL_WORKPLAN
from voxk8s.controller import views
from voxk8s.controller.caches import Cache, Group
from voxk8s.controller.observed import (
    AutoscalerView,
    ClusterView,
    DeploymentView,
    GroupView,
    JobView,
    PodView,
)
from voxk8s.controller.queue import ObjectKey

T = TypeVar("T")

_OPTIONAL = frozenset({DASK_CLUSTERS, DASK_WORKER_GROUPS, DASK_AUTOSCALERS})
"""Kinds whose CRDs may be missing: the operator works, and says so, without them."""


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


def read_workplan(thing: Mapping[str, Any]) -> WorkPlanResource:
    """Read a WorkPlan without its plan, which may be large and is read when it is looked up."""
    resource = decode_resource(thing)
    source = resource.spec.source
    if source.plan is None and source.program is None:
        return resource
    slim: Source = msgspec.structs.replace(
        source,
        plan={} if source.plan is not None else None,
        program="" if source.program is not None else None,
    )
    spec = msgspec.structs.replace(resource.spec, source=slim)
    return msgspec.structs.replace(resource, spec=spec)


def _own_group(thing: Mapping[str, Any]) -> str:
    return names.label_value(str(thing["metadata"]["name"]))
