"""Creates and deletes the children of a run, and keeps the errors of the API server."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from voxk8s import constants
from voxk8s.cluster import kube_errors, resources
from voxk8s.cluster.dask_cluster import build_dask_autoscaler, build_dask_cluster
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.network_policies import build_network_policies
from voxk8s.cluster.rbac import build_compute_account, build_runner_rbac
from voxk8s.cluster.resources import ROLE_BINDINGS, ApiResource, resource_of
from voxk8s.cluster.runner_job import build_runner_job
from voxk8s.cluster.tls import build_tls_secret
from voxk8s.controller.config import Config
from voxk8s.controller.decide.actions import ApplyAutoscaler, ChildKind, CreateCluster, DeleteChild
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import ClusterView, Observed, Problem
from voxk8s.controller.resolve.store_access import StoreAccess, store_access

_log = logging.getLogger(__name__)

_DELETION_MEMORY = 3.0
"""Seconds for which a deletion is not repeated: informers report it within that time."""
_RESOURCES: Final[dict[ChildKind, ApiResource]] = {
    ChildKind.CLUSTER: resources.DASK_CLUSTERS,
    ChildKind.AUTOSCALER: resources.DASK_AUTOSCALERS,
    ChildKind.RUNNER: resources.JOBS,
    ChildKind.WORKER: resources.DEPLOYMENTS,
}


@dataclass(slots=True)
class Children:
    """Creates and deletes children; errors of creation are kept by the WorkPlan's uid.

    Created objects are put into the informers of `state`.
    """

    kube: KubeClient
    config: Config
    state: ClusterState
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _deleted_at: dict[tuple[str, str, str], float] = field(default_factory=dict)
    _cluster_with_keys: dict[str, str] = field(default_factory=dict)
    _create_errors: dict[str, dict[str, Problem]] = field(default_factory=dict)

    def create_errors(self, uid: str) -> tuple[Problem, ...]:
        """Return why children of a WorkPlan could not be created when last tried."""
        return tuple(self._create_errors.get(uid, {}).values())

    def cluster_with_keys(self, uid: str) -> str:
        """Return the uid of the WorkPlan's DaskCluster whose keys were created; empty if none."""
        return self._cluster_with_keys.get(uid, "")

    def forget(self, uid: str) -> None:
        """Drop what is kept about a WorkPlan."""
        self._cluster_with_keys.pop(uid, None)
        self._create_errors.pop(uid, None)

    async def create_access(self, observed: Observed) -> bool:
        """Create accounts, role, network policies and store Secret; False if one was rejected."""
        workplan, defaults = observed.workplan, self.config.defaults
        access = self._access(observed)
        manifests = [
            build_compute_account(workplan.metadata.namespace),
            *build_runner_rbac(workplan, defaults),
            *build_network_policies(workplan, defaults, access.target),
            *([access.secret_manifest] if access.secret_manifest else []),
        ]
        # A RoleBinding is rejected while its Role does not exist.
        bindings = [manifest for manifest in manifests if resource_of(manifest) == ROLE_BINDINGS]
        others = [manifest for manifest in manifests if resource_of(manifest) != ROLE_BINDINGS]
        created = await self._create_all(observed, others)
        return await self._create_all(observed, bindings) and created

    async def create_cluster(self, observed: Observed, action: CreateCluster) -> bool:
        """Create the DaskCluster; False if it was rejected."""
        manifest = self._cluster_manifest(observed, action.workers)
        if not await self._create_all(observed, [manifest]):
            return False
        metadata = manifest["metadata"]
        cluster = self.state.clusters.get(metadata["namespace"], metadata["name"])
        return await self._create_keys(observed, cluster)

    async def create_keys(self, observed: Observed) -> bool:
        """Create the keys for TLS of the existing cluster; False if they were rejected."""
        return await self._create_keys(observed, observed.cluster)

    async def create_runner(self, observed: Observed) -> bool:
        """Create the runner's Job; False if it was rejected."""
        manifest = build_runner_job(
            observed.workplan,
            self.config.defaults,
            self._access(observed).target,
            cluster=self._cluster_name(observed),
            encrypted=self._encrypted(observed),
        )
        return await self._create_all(observed, [manifest])

    async def apply_autoscaler(self, observed: Observed, action: ApplyAutoscaler) -> bool:
        """Create the DaskAutoscaler or update its limits; False if it was rejected."""
        manifest = build_dask_autoscaler(
            observed.workplan,
            self.config.defaults,
            self._cluster_name(observed),
            minimum=action.minimum,
        )
        if observed.autoscaler is None:
            return await self._create_all(observed, [manifest])
        # Only the spec: the dask operator has replaced the owner reference by the cluster's.
        patched = await self.kube.patch(
            resources.DASK_AUTOSCALERS,
            manifest["metadata"]["name"],
            {"spec": manifest["spec"]},
            observed.workplan.metadata.namespace,
        )
        self.state.autoscalers.upsert(patched)
        return True

    async def delete(self, observed: Observed, action: DeleteChild) -> None:
        """Delete a child, unless that was requested a moment ago."""
        namespace = observed.workplan.metadata.namespace
        child = (action.kind.value, namespace, action.name)
        now = self.clock()
        self._deleted_at = {
            key: time for key, time in self._deleted_at.items() if now - time < _DELETION_MEMORY
        }
        if child in self._deleted_at:
            return
        if action.kind is ChildKind.CREDENTIALS:
            await self._delete_secret(observed, action)
        else:
            _log.info("deleting %s %s/%s: %s", action.kind, namespace, action.name, action.reason)
            await self.kube.delete(_RESOURCES[action.kind], action.name, namespace)
        self._deleted_at[child] = now

    async def _delete_secret(self, observed: Observed, action: DeleteChild) -> None:
        """Delete a Secret that was created for this run, but never one of the user."""
        metadata = observed.workplan.metadata
        name = f"{metadata.namespace}/{action.name}"
        try:
            found = await self.kube.find(resources.SECRETS, action.name, metadata.namespace)
            owners = found["metadata"].get("ownerReferences") or () if found else ()
            if found and any(owner["uid"] == metadata.uid for owner in owners):
                _log.info("deleting Secret %s: %s", name, action.reason)
                uid = found["metadata"]["uid"]
                await self.kube.delete(resources.SECRETS, action.name, metadata.namespace, uid=uid)
        except (kube_errors.Conflict, kube_errors.Forbidden) as error:
            # It is deleted with its WorkPlan; the run's pods must not be kept because of it.
            _log.warning("cannot delete Secret %s: %s", name, error)

    def _access(self, observed: Observed) -> StoreAccess:
        return store_access(observed.workplan, self.config.store, self.config.defaults)

    def _cluster_manifest(self, observed: Observed, workers: int) -> KubeObject:
        target = self._access(observed).target
        return build_dask_cluster(observed.workplan, self.config.defaults, target, workers=workers)

    def _cluster_name(self, observed: Observed) -> str:
        """Return the name of the run's DaskCluster, also before it is created."""
        if observed.cluster is not None and observed.cluster.deleting is None:
            return observed.cluster.name
        return str(self._cluster_manifest(observed, 0)["metadata"]["name"])

    def _encrypted(self, observed: Observed) -> bool:
        """Whether the run's scheduler speaks TLS: one of an earlier operator may not."""
        if observed.cluster is not None and observed.cluster.deleting is None:
            return observed.cluster.encrypted
        return self.config.defaults.tls

    async def _create_keys(self, observed: Observed, cluster: ClusterView | None) -> bool:
        """Create the keys of a cluster: after it, as Kubernetes deletes them with their owner."""
        if cluster is None or not cluster.encrypted:
            return True
        workplan, defaults = observed.workplan, self.config.defaults
        keys = build_tls_secret(workplan, defaults, cluster.name, cluster.uid, self.now())
        if not await self._create_all(observed, [keys]):
            return False
        self._cluster_with_keys[workplan.metadata.uid] = cluster.uid
        return True

    async def _create_all(self, observed: Observed, manifests: Iterable[KubeObject]) -> bool:
        uid = observed.workplan.metadata.uid
        created = await asyncio.gather(*(self._create(uid, manifest) for manifest in manifests))
        return all(created)

    async def _create(self, uid: str, manifest: KubeObject) -> bool:
        resource, metadata = resource_of(manifest), manifest["metadata"]
        child = f"{resource.kind} {metadata['name']}"
        errors = self._create_errors.setdefault(uid, {})
        try:
            created = await self.kube.create(
                resource, manifest, metadata["namespace"], manager=constants.MANAGER_OPERATOR
            )
        except kube_errors.AlreadyExists:
            errors.pop(child, None)
            return True
        except kube_errors.KindMissing:
            errors[child] = Problem(
                constants.REASON_DASK_OPERATOR_MISSING,
                f"The kind {resource.kind} does not exist in the cluster: the dask-kubernetes"
                " operator is not installed.",
            )
            return False
        except (
            kube_errors.Forbidden,
            kube_errors.Invalid,
            kube_errors.NotFound,
            kube_errors.TooLarge,
        ) as error:
            errors[child] = Problem(constants.REASON_POD_REJECTED, f"{child} was rejected: {error}")
            return False
        errors.pop(child, None)
        self._upsert(resource, created)
        return True

    def _upsert(self, resource: ApiResource, created: KubeObject) -> None:
        """Put a created object into its informer, so that it is not created twice."""
        for informer in self.state.informers:
            if informer.resource == resource:
                informer.upsert(created)
