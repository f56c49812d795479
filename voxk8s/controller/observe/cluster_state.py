"""The informers of all kinds that the operator watches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from voxk8s.api.workplan import WorkPlanResource
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
    RESOURCE_FLAVORS,
    SERVICE_ACCOUNTS,
    WORK_PLANS,
    WORKLOADS,
    ApiResource,
)
from voxk8s.constants import LABEL_QUEUE, LABEL_WORKPLAN
from voxk8s.controller.observe import kueue_views
from voxk8s.controller.observe import parse_views as parse
from voxk8s.controller.observe.informer import IndexKey, Informer
from voxk8s.controller.observe.observed import (
    AccessView,
    AutoscalerView,
    ClusterErrorView,
    ClusterView,
    DeploymentView,
    FailedCreateView,
    FlavorView,
    JobView,
    PodView,
    WorkerGroupView,
    WorkloadView,
)
from voxk8s.controller.observe.workplan_codec import decode_slim, decode_workplan
from voxk8s.controller.work_queue import ObjectKey

T = TypeVar("T")

_OPTIONAL = frozenset({EVENTS, WORKLOADS, RESOURCE_FLAVORS})
"""Kinds that other WorkPlans do not wait for: events only explain, and Kueue is for those with a
queue. See `kueue_error`."""
_CLUSTER_ERRORS = f"involvedObject.apiVersion={DASK_CLUSTERS.api_version},type!=Normal"
"""Also those about worker groups: what the API server refuses of workers is said there."""
_JOB_WITHOUT_POD = "involvedObject.kind=Job,reason=FailedCreate"


class ClusterState:
    """WorkPlans and their children as the informers have them.

    `enqueue` receives the key of each WorkPlan that changed, itself or by a child;
    `on_workplan_deleted` the last state of a deleted one. `kueue` is whether WorkPlans with a queue
    wait for Kueue: only then its kinds are watched.
    """

    def __init__(
        self,
        enqueue: Callable[[ObjectKey], None],
        on_workplan_deleted: Callable[[WorkPlanResource], None],
        *,
        kueue: bool = False,
    ) -> None:
        """Create the informers; `run` starts them."""
        self.kueue = kueue
        self._enqueue = enqueue
        self._synced = asyncio.Event()

        def child(
            resource: ApiResource, parse_view: Callable[[Mapping[str, Any]], T]
        ) -> Informer[T]:
            return Informer(
                resource,
                parse_view,
                parse.workplan_label,
                self._changed,
                on_sync=self._listed,
                labels=LABEL_WORKPLAN,
            )

        self.workplans: Informer[WorkPlanResource] = Informer(
            WORK_PLANS,
            decode_workplan,
            _own_label,
            self._changed,
            on_delete=on_workplan_deleted,
            on_sync=self._listed,
            decode=decode_slim,
        )
        self.clusters: Informer[ClusterView] = child(DASK_CLUSTERS, parse.cluster)
        self.worker_groups: Informer[WorkerGroupView] = child(
            DASK_WORKER_GROUPS, parse.worker_group
        )
        self.autoscalers: Informer[AutoscalerView] = child(DASK_AUTOSCALERS, parse.autoscaler)
        self.deployments: Informer[DeploymentView] = child(DEPLOYMENTS, parse.deployment)
        self.jobs: Informer[JobView] = child(JOBS, parse.job)
        self.pods: Informer[PodView] = child(PODS, parse.pod)
        self.accounts: Informer[AccessView] = child(SERVICE_ACCOUNTS, parse.access)
        self.workloads: Informer[WorkloadView] = child(WORKLOADS, kueue_views.workload)
        self.flavors: Informer[FlavorView] = Informer(
            RESOURCE_FLAVORS, kueue_views.flavor, _own_name, self._flavor_changed
        )
        self.failed_creates: Informer[FailedCreateView] = Informer(
            EVENTS,
            parse.failed_create,
            parse.involved_object_name,
            self._job_event,
            fields=_JOB_WITHOUT_POD,
        )

        self.cluster_errors: Informer[ClusterErrorView] = Informer(
            EVENTS,
            parse.cluster_error,
            parse.involved_object_name,
            self._cluster_event,
            fields=_CLUSTER_ERRORS,
        )

    @property
    def informers(self) -> tuple[Informer[Any], ...]:
        """All informers."""
        return (
            self.workplans,
            self.clusters,
            self.worker_groups,
            self.autoscalers,
            self.deployments,
            self.jobs,
            self.pods,
            self.accounts,
            self.failed_creates,
            self.cluster_errors,
            *((self.workloads, self.flavors) if self.kueue else ()),
        )

    @property
    def synced(self) -> bool:
        """Whether all required kinds were listed in all namespaces."""
        return all(informer.synced for informer in self._required)

    def sync_error(self, namespace: str | None = None) -> str:
        """Return what was not listed yet in a namespace, or anywhere, and why; empty if all was.

        Until then nothing may be concluded from what is absent.
        """
        errors = (informer.sync_error(namespace) for informer in self._required)
        return next((error for error in errors if error), "")

    def kueue_error(self, namespace: str) -> str:
        """Return why Workloads of a namespace are not known; empty if they are."""
        return self.workloads.sync_error(namespace)

    async def wait_for_sync(self, timeout: float) -> None:  # noqa: ASYNC109 - it only ends the wait
        """Wait until all required kinds are listed, at most for `timeout` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._synced.wait()

    async def run(
        self, kube: KubeClient, namespaces: tuple[str, ...], clock: Callable[[], float]
    ) -> None:
        """Run all informers until cancelled; ends only when one of them raises."""
        scopes: tuple[str | None, ...] = namespaces or (None,)
        async with asyncio.TaskGroup() as tasks:
            for informer in self.informers:
                own: tuple[str | None, ...] = scopes if informer.resource.namespaced else (None,)
                informer.follow(own)
                for namespace in own:
                    tasks.create_task(informer.run(kube, namespace, clock))

    def workplan_keys(self) -> list[ObjectKey]:
        """Return the keys of all WorkPlans."""
        return [key for key, _ in self.workplans.items()]

    @property
    def _required(self) -> tuple[Informer[Any], ...]:
        return tuple(i for i in self.informers if i.resource not in _OPTIONAL)

    def _listed(self, namespace: str | None) -> None:
        """Enqueue the WorkPlans that waited for a list."""
        for key in self.workplan_keys():
            if namespace in (None, key.namespace) and not self.sync_error(key.namespace):
                self._enqueue(key)
        if self.synced:
            self._synced.set()

    def _changed(self, index_key: IndexKey) -> None:
        for workplan in self.workplans.by_index(index_key):
            self._enqueue(ObjectKey(workplan.metadata.namespace, workplan.metadata.name))

    def _flavor_changed(self, _: IndexKey) -> None:
        """Enqueue the WorkPlans that wait for a flavor to exist."""
        for key, workplan in self.workplans.items():
            if workplan.status.phase == "Queued" and LABEL_QUEUE in workplan.metadata.labels:
                self._enqueue(key)

    def _job_event(self, job: IndexKey) -> None:
        index_key = self.jobs.index_key(*job)
        if index_key is not None:
            self._changed(index_key)

    def _cluster_event(self, about: IndexKey) -> None:
        index_key = self.clusters.index_key(*about) or self.worker_groups.index_key(*about)
        if index_key is not None:
            self._changed(index_key)


def _own_label(body: Mapping[str, Any]) -> str:
    """Return the label value that the children of a WorkPlan have."""
    return child_names.label_value(str(body["metadata"]["name"]))


def _own_name(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["name"])
