"""Makes and deletes the children of a run, and remembers what the API server refused."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from voxk8s import constants
from voxk8s.cluster.dask_cluster import build_dask_autoscaler, build_dask_cluster
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kube_errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    KindMissing,
    NotFound,
    TooLarge,
)
from voxk8s.cluster.network_policies import build_network_policies
from voxk8s.cluster.rbac import build_compute_account, build_runner_rbac
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    DEPLOYMENTS,
    JOBS,
    ROLE_BINDINGS,
    SECRETS,
    ApiResource,
    resource_of,
)
from voxk8s.cluster.runner_job import build_runner_job
from voxk8s.constants import MANAGER_OPERATOR
from voxk8s.controller.config import Config
from voxk8s.controller.decide.actions import ApplyAutoscaler, ChildKind, CreateCluster, DeleteChild
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import Observed, Problem
from voxk8s.controller.resolve.store_access import StoreAccess, store_access

_log = logging.getLogger(__name__)

_WATCH_SECONDS = 3.0
"""How long a watch may take to tell of a deletion that was asked for."""
_KINDS: Final[dict[ChildKind, ApiResource]] = {
    ChildKind.CLUSTER: DASK_CLUSTERS,
    ChildKind.AUTOSCALER: DASK_AUTOSCALERS,
    ChildKind.RUNNER: JOBS,
    ChildKind.WORKER: DEPLOYMENTS,
}


class Children:
    """The children of WorkPlans, as they are made; what was refused is kept by WorkPlan uid."""

    def __init__(
        self,
        kube: KubeClient,
        config: Config,
        state: ClusterState,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make children by `kube`, and put what is made into the caches at once."""
        self._clock = clock
        self._going: dict[tuple[str, str, str], float] = {}
        self._kube = kube
        self._config = config
        self._state = state
        self._create_errors: dict[str, dict[str, Problem]] = {}

    def create_errors(self, uid: str) -> tuple[Problem, ...]:
        """Give what the API server last said no to, of the children of a WorkPlan."""
        return tuple(self._create_errors.get(uid, {}).values())

    def forget(self, uid: str) -> None:
        """Drop what was refused."""
        self._create_errors.pop(uid, None)

    async def create_access(self, observed: Observed) -> bool:
        """Make accounts, role, policies and the store's Secret; False if something was refused."""
        workplan, defaults = observed.workplan, self._config.defaults
        access = self._access(observed)
        manifests = [
            build_compute_account(workplan.metadata.namespace),
            *build_runner_rbac(workplan, defaults),
            *build_network_policies(workplan, defaults, access.target),
            *([access.secret_manifest] if access.secret_manifest else []),
        ]
        # The API server looks at the role when it is asked to bind it.
        bindings = [made for made in manifests if resource_of(made) == ROLE_BINDINGS]
        others = [made for made in manifests if resource_of(made) != ROLE_BINDINGS]
        well = await self._create_all(observed, others)
        return await self._create_all(observed, bindings) and well

    async def create_cluster(self, observed: Observed, action: CreateCluster) -> bool:
        """Make the DaskCluster; False if it was refused."""
        manifest = self._cluster(observed, action.workers)
        return await self._create_all(observed, [manifest])

    async def create_runner(self, observed: Observed) -> bool:
        """Make the runner's Job; False if it was refused."""
        manifest = build_runner_job(
            observed.workplan,
            self._config.defaults,
            self._access(observed).target,
            cluster=self._cluster_name(observed),
        )
        return await self._create_all(observed, [manifest])

    async def apply_autoscaler(self, observed: Observed, action: ApplyAutoscaler) -> bool:
        """Make or change the DaskAutoscaler; False if it was refused."""
        manifest = build_dask_autoscaler(
            observed.workplan,
            self._config.defaults,
            self._cluster_name(observed),
            minimum=action.minimum,
        )
        if observed.autoscaler is None:
            return await self._create_all(observed, [manifest])
        # Its owner is not ours to apply: the dask operator puts the cluster in our place.
        applied = await self._kube.patch(
            DASK_AUTOSCALERS,
            manifest["metadata"]["name"],
            {"spec": manifest["spec"]},
            observed.workplan.metadata.namespace,
        )
        self._state.autoscalers.upsert(applied)
        return True

    async def delete(self, observed: Observed, action: DeleteChild) -> None:
        """Delete a child, if it is still there; once is enough until the watch had its time."""
        namespace = observed.workplan.metadata.namespace
        asked = (action.child.value, namespace, action.name)
        moment = self._clock()
        self._going = {k: t for k, t in self._going.items() if moment - t < _WATCH_SECONDS}
        if asked in self._going:
            return
        if action.child is ChildKind.CREDENTIALS:
            await self._delete_secret(observed, action)
        else:
            _log.info("deleting %s %s/%s: %s", action.child, namespace, action.name, action.why)
            await self._kube.delete(_KINDS[action.child], action.name, namespace)
        self._going[asked] = moment

    async def _delete_secret(self, observed: Observed, action: DeleteChild) -> None:
        """Delete a Secret that was made for this run; one of the user's own is not ours."""
        metadata = observed.workplan.metadata
        try:
            found = await self._kube.find(SECRETS, action.name, metadata.namespace)
            owners = found["metadata"].get("ownerReferences") or () if found else ()
            if found and any(owner["uid"] == metadata.uid for owner in owners):
                _log.info("deleting Secret %s/%s: %s", metadata.namespace, action.name, action.why)
                uid = found["metadata"]["uid"]
                await self._kube.delete(SECRETS, action.name, metadata.namespace, uid=uid)
        except (Conflict, Forbidden) as error:
            # It goes with its WorkPlan then: the run's pods must not stay because of it.
            _log.warning("Secret %s/%s stays: %s", metadata.namespace, action.name, error)

    def _access(self, observed: Observed) -> StoreAccess:
        return store_access(observed.workplan, self._config.store, self._config.defaults)

    def _cluster(self, observed: Observed, workers: int) -> KubeObject:
        target = self._access(observed).target
        return build_dask_cluster(observed.workplan, self._config.defaults, target, workers=workers)

    def _cluster_name(self, observed: Observed) -> str:
        if observed.cluster is not None and observed.cluster.deleting is None:
            return observed.cluster.name
        return str(self._cluster(observed, 0)["metadata"]["name"])

    async def _create_all(self, observed: Observed, manifests: Iterable[KubeObject]) -> bool:
        uid = observed.workplan.metadata.uid
        made = await asyncio.gather(*(self._create(uid, manifest) for manifest in manifests))
        return all(made)

    async def _create(self, uid: str, manifest: KubeObject) -> bool:
        resource, metadata = resource_of(manifest), manifest["metadata"]
        label = f"{resource.kind} {metadata['name']}"
        try:
            made = await self._kube.create(
                resource, manifest, metadata["namespace"], manager=MANAGER_OPERATOR
            )
        except AlreadyExists:
            self._allow(uid, label)
            return True
        except KindMissing:
            self._refuse(
                uid,
                label,
                constants.REASON_DASK_OPERATOR_MISSING,
                f"The cluster does not know {resource.kind}: the dask-kubernetes operator is not"
                " installed.",
            )
            return False
        except NotFound as error:
            self._refuse(uid, label, constants.REASON_POD_REJECTED, f"{label}: {error}")
            return False
        except (Forbidden, Invalid, TooLarge) as error:
            self._refuse(uid, label, constants.REASON_POD_REJECTED, f"{label} was refused: {error}")
            return False
        self._allow(uid, label)
        self._remember(resource, made)
        return True

    def _remember(self, resource: ApiResource, made: KubeObject) -> None:
        """Know of what was made before the watch tells: nothing is made twice."""
        for informer in self._state.informers:
            if informer.resource == resource:
                informer.upsert(made)

    def _refuse(self, uid: str, label: str, reason: str, message: str) -> None:
        self._create_errors.setdefault(uid, {})[label] = Problem(reason, message)

    def _allow(self, uid: str, label: str) -> None:
        refused = self._create_errors.get(uid)
        if refused is not None:
            refused.pop(label, None)
            if not refused:
                del self._create_errors[uid]
