"""Creates and deletes the children of a run: cluster, autoscaler, runner and Workload."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from voxk8s import constants
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import kube_errors, resources
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kueue_workload import QueuePriority, build_workload, priority_class
from voxk8s.cluster.policy import Violation, violations
from voxk8s.cluster.resources import ApiResource
from voxk8s.controller.act.access import Access
from voxk8s.controller.act.creations import Creations
from voxk8s.controller.act.run_credentials import RunCredentials
from voxk8s.controller.act.run_manifests import RunManifests
from voxk8s.controller.config import Config
from voxk8s.controller.decide.actions import (
    ApplyAutoscaler,
    ChildKind,
    CreateCluster,
    CreateWorkerGroup,
    CreateWorkload,
    DeleteChild,
)
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import Observed, Problem

_log = logging.getLogger(__name__)

_DELETION_MEMORY = 3.0
"""Seconds for which a deletion is not repeated: informers report it within that time."""
_RESOURCES: Final[dict[ChildKind, ApiResource]] = {
    ChildKind.CLUSTER: resources.DASK_CLUSTERS,
    ChildKind.AUTOSCALER: resources.DASK_AUTOSCALERS,
    ChildKind.RUNNER: resources.JOBS,
    ChildKind.WORKER: resources.DEPLOYMENTS,
    ChildKind.ACCESS: resources.SERVICE_ACCOUNTS,
    ChildKind.WORKLOAD: resources.WORKLOADS,
}


class Children:
    """Creates and deletes the children of runs; why one could not be created is kept."""

    def __init__(
        self,
        kube: KubeClient,
        config: Config,
        state: ClusterState,
        clock: Callable[[], float] = time.monotonic,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        credentials: RunCredentials | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`clock` counts seconds, `chance` is between 0 and 1."""
        self._kube = kube
        self._config = config
        self._state = state
        self._clock = clock
        self._manifests = RunManifests(config)
        self._creations = Creations(kube, state, clock, chance)
        self.access = Access(self._creations, self._manifests, credentials, now)
        self._deleted_at: dict[tuple[str, str, str], float] = {}

    def create_errors(self, uid: str) -> tuple[Problem, ...]:
        """Return why children of a WorkPlan could not be created when last tried."""
        return self._creations.problems(uid)

    def retry_in(self, uid: str) -> float | None:
        """Return the seconds until a refused child is tried again; None if there is none."""
        return self._creations.retry_in(uid)

    def waits_for_cluster(self, uid: str) -> bool:
        """Whether the DaskCluster was refused and is not yet to be created again."""
        return self._creations.waits_for(uid, ChildKind.CLUSTER)

    def note_existing(self, observed: Observed) -> None:
        """Drop refusals of children that exist: the answer to their creation was lost.

        The keys of a namespace with a WorkPlan are kept, for people who bring images in or fetch
        results.
        """
        if self.access.credentials is not None and observed.workplan.spec.store is None:
            self.access.credentials.want(observed.workplan.metadata.namespace)
        existing = {
            ChildKind.CLUSTER: observed.cluster,
            ChildKind.RUNNER: observed.runner,
            ChildKind.AUTOSCALER: observed.autoscaler,
            ChildKind.WORKLOAD: observed.workload,
        }
        kinds = {kind.value for kind, child in existing.items() if child is not None}
        if observed.cluster is not None and observed.cluster.groups.keys() <= {
            group.group for group in observed.worker_groups
        }:
            kinds.add(resources.DASK_WORKER_GROUPS.kind)
        self._creations.accept_kinds(observed.workplan.metadata.uid, kinds)

    def not_allowed(self, workplan: WorkPlanResource) -> tuple[Violation, ...]:
        """Return what a WorkPlan asks of its pods against the chart's policy."""
        defaults = self._config.defaults
        return violations(workplan.spec, defaults.policy, defaults.engine_image)

    def forget(self, uid: str) -> None:
        """Drop what is kept about a WorkPlan."""
        self._creations.forget(uid)
        self.access.forget(uid)

    async def create_access(self, observed: Observed) -> None:
        """Create what pods need before they start; cluster and runner wait until all exists."""
        await self.access.create(observed)

    async def create_cluster(self, observed: Observed, action: CreateCluster) -> None:
        """Create the DaskCluster, if its pods have access to all they need."""
        uid = observed.workplan.metadata.uid
        account = self.access.account(uid)
        if account is not None:
            await self._create(
                uid,
                "DaskCluster",
                lambda: self._manifests.cluster(observed, action.workers, account, action.groups),
            )

    async def create_worker_group(self, observed: Observed, action: CreateWorkerGroup) -> None:
        """Create the DaskWorkerGroup of a group beside the default one."""
        uid, cluster = observed.workplan.metadata.uid, observed.cluster
        if cluster is None:
            return
        for manifest in self._creations.build(
            uid,
            f"worker group {action.name}",
            lambda: self._manifests.worker_group(observed, cluster, action),
        ):
            await self._creations.create(uid, manifest)

    async def create_runner(self, observed: Observed) -> None:
        """Create the runner's Job, if its pod has access to all it needs."""
        uid = observed.workplan.metadata.uid
        account = self.access.account(uid)
        if account is not None:
            await self._create(uid, "Job", lambda: self._manifests.runner(observed, account))

    async def create_workload(self, observed: Observed, action: CreateWorkload) -> None:
        """Create the Workload that asks Kueue for the quota of the run."""
        uid = observed.workplan.metadata.uid
        pods = self._creations.build(
            uid,
            "the pods of the run",
            lambda: [
                self._manifests.cluster(observed, action.workers, ""),
                self._manifests.runner(observed, ""),
                self._manifests.group_pods(observed, action.groups),
            ],
        )
        if not pods:
            return
        cluster, runner, groups = pods
        priority = await self._queue_priority(observed, cluster["spec"]["worker"]["spec"])
        if priority is not None:
            workload = build_workload(
                observed.workplan,
                self._config.defaults.version,
                cluster,
                runner,
                queue=observed.queue,
                priority=priority,
                workers=action.workers,
                minimum=action.minimum,
                groups={name: (action.groups[name], pod) for name, pod in groups.items()},
            )
            await self._creations.create(uid, workload)

    async def apply_autoscaler(self, observed: Observed, action: ApplyAutoscaler) -> None:
        """Create the DaskAutoscaler or update its limits."""
        manifest = self._manifests.autoscaler(observed, action.minimum)
        if observed.autoscaler is None:
            # The dask operator replaces the WorkPlan as its owner by the cluster.
            cluster = observed.cluster.uid if observed.cluster is not None else ""
            await self._creations.create(observed.workplan.metadata.uid, manifest, cluster)
            return
        # Only the spec: the owner stays as the dask operator has made it.
        patched = await self._kube.patch(
            resources.DASK_AUTOSCALERS,
            manifest["metadata"]["name"],
            {"metadata": {"uid": observed.autoscaler.uid}, "spec": manifest["spec"]},
            observed.workplan.metadata.namespace,
        )
        self._state.autoscalers.note_written(patched)

    async def delete(self, observed: Observed, action: DeleteChild) -> None:
        """Delete a child, unless that was requested a moment ago.

        Raises Conflict if there is another object of its name.
        """
        namespace = observed.workplan.metadata.namespace
        child = (action.kind.value, namespace, action.uid or action.name)
        now = self._clock()
        self._deleted_at = {
            key: time for key, time in self._deleted_at.items() if now - time < _DELETION_MEMORY
        }
        if child in self._deleted_at:
            return
        _log.info("deleting %s %s/%s: %s", action.kind, namespace, action.name, action.reason)
        resource = _RESOURCES[action.kind]
        if action.kind is ChildKind.ACCESS:
            # Until all that it owns is gone the account stays: none of it is taken for a new run's.
            await self._kube.delete(
                resource, action.name, namespace, uid=action.uid, propagation="Foreground"
            )
            self.forget(observed.workplan.metadata.uid)
        else:
            await self._kube.delete(resource, action.name, namespace, uid=action.uid)
        self._deleted_at[child] = now

    async def _create(self, uid: str, what: str, build: Callable[[], KubeObject]) -> None:
        for manifest in self._creations.build(uid, what, lambda: [build()]):
            await self._creations.create(uid, manifest)

    async def _queue_priority(self, observed: Observed, pod: KubeObject) -> QueuePriority | None:
        """Return the priority of the run's Workload; None, and a refusal, if its class is missing.

        Kueue expects it of those who make Workloads that they read it from the class.
        """
        uid = observed.workplan.metadata.uid
        found = priority_class(observed.workplan, pod)
        if found is None:
            return QueuePriority(observed.workplan.spec.priority)
        resource, name = found
        child = f"{resource.kind} {name}"
        if not self._creations.is_due(uid, child):
            return None
        try:
            body = await self._kube.get(resource, name)
        except kube_errors.ApiError as error:
            problem = Problem(
                constants.REASON_POD_REJECTED,
                f"The priority of the run in its queue is not known: {child}: {error}",
            )
            self._creations.refuse(
                uid, child, problem, answered=True, retry_after=error.retry_after
            )
            return None
        self._creations.accept(uid, child)
        return QueuePriority(int(body.get("value") or 0), resource, name)
