"""The manifests of one run, as the chart's values and what exists of it determine them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from voxk8s.api.workplan import OwnerReference
from voxk8s.cluster.dask_cluster import build_dask_autoscaler, build_dask_cluster
from voxk8s.cluster.kube_client import KubeObject
from voxk8s.cluster.network_policies import build_network_policies
from voxk8s.cluster.pod_template import owned_by
from voxk8s.cluster.rbac import build_compute_account, build_runner_account, build_runner_role
from voxk8s.cluster.runner_job import build_runner_job
from voxk8s.cluster.store_target import StoreTarget
from voxk8s.cluster.tls import build_tls_secret, secret_name
from voxk8s.cluster.worker_groups import (
    build_worker_group,
    find_group,
    group_template,
    offers_of_run,
)
from voxk8s.controller.config import Config
from voxk8s.controller.decide.actions import CreateWorkerGroup
from voxk8s.controller.observe.observed import ClusterView, Observed
from voxk8s.controller.resolve.resolution_state import Resolved
from voxk8s.controller.resolve.store_access import store_access


@dataclass(frozen=True, slots=True)
class RunManifests:
    """Builds the manifests of runs; raises PermanentError for a spec that permits none."""

    config: Config

    def cluster(
        self,
        observed: Observed,
        workers: int,
        account: str,
        groups: Mapping[str, int] = MappingProxyType({}),
    ) -> KubeObject:
        """Return the DaskCluster; `account` is the uid of the runner's account."""
        return build_dask_cluster(
            observed.run_workplan,
            self.config.defaults,
            self._target(observed),
            workers=workers,
            account=account,
            groups=groups,
        )

    def worker_group(
        self, observed: Observed, cluster: ClusterView, action: CreateWorkerGroup
    ) -> list[KubeObject]:
        """Return the DaskWorkerGroup of a cluster's group; none if the spec has it no more."""
        group = find_group(observed.run_workplan, action.name)
        if group is None:
            return []
        return [
            build_worker_group(
                observed.run_workplan,
                self.config.defaults,
                self._target(observed),
                group,
                workers=action.workers,
                cluster=cluster.name,
                uid=cluster.uid,
                keys=cluster.keys,
            )
        ]

    def group_pods(self, observed: Observed, groups: Mapping[str, int]) -> dict[str, KubeObject]:
        """Return the specs of the pods of worker groups beside the default one."""
        defaults, target = self.config.defaults, self._target(observed)
        return {
            group.name: group_template(observed.run_workplan, defaults, target, group)["spec"]
            for group in observed.run_workplan.spec.cluster.worker_groups or ()
            if group.name in groups
        }

    def autoscaler(self, observed: Observed, minimum: int) -> KubeObject:
        """Return the DaskAutoscaler."""
        name = self.cluster_name(observed)
        return build_dask_autoscaler(
            observed.run_workplan, self.config.defaults, name, minimum=minimum
        )

    def runner(self, observed: Observed, account: str) -> KubeObject:
        """Return the runner's Job; `account` is the uid of its account."""
        return build_runner_job(
            observed.run_workplan,
            self.config.defaults,
            self._target(observed),
            cluster=self.cluster_name(observed),
            keys=self._keys(observed, account) if account else "",
            offers=offers_of_run(
                observed.run_workplan, self.config.defaults, self._groups(observed)
            ),
        )

    def account(self, observed: Observed) -> KubeObject:
        """Return the runner's account, which owns what gives access."""
        return build_runner_account(observed.workplan, self.config.defaults)

    def access(
        self, observed: Observed, account: OwnerReference, now: datetime
    ) -> list[KubeObject]:
        """Return what gives the pods of a run access: role, policies and keys of its account."""
        workplan, defaults = observed.workplan, self.config.defaults
        target = self._target(observed)
        manifests = [
            *build_runner_role(workplan, defaults, target),
            *build_network_policies(workplan, defaults, target),
        ]
        if keys := self._keys(observed, account.uid):
            cluster = self.cluster_name(observed)
            manifests.append(build_tls_secret(workplan, defaults, cluster, now, keys))
        compute = build_compute_account(workplan.metadata.namespace)
        return [compute, *(owned_by(manifest, account) for manifest in manifests)]

    def cluster_name(self, observed: Observed) -> str:
        """Return the name of the run's DaskCluster, also before it is created."""
        if observed.cluster is not None and observed.cluster.deleting is None:
            return observed.cluster.name
        return str(self.cluster(observed, 0, "")["metadata"]["name"])

    def _groups(self, observed: Observed) -> Mapping[str, int]:
        """Return the groups of the run's cluster beside the default one, also of one to come."""
        if observed.cluster is not None and observed.cluster.deleting is None:
            return observed.cluster.groups
        found = observed.resolution
        return found.groups if isinstance(found, Resolved) else {}

    def _keys(self, observed: Observed, account: str) -> str:
        """Return the Secret with the keys of the run's cluster; empty for one without TLS.

        A cluster of an earlier operator may have none, or under another name.
        """
        if observed.cluster is not None and observed.cluster.deleting is None:
            return observed.cluster.keys
        name = self.cluster_name(observed)
        return secret_name(name, account) if self.config.defaults.tls else ""

    def _target(self, observed: Observed) -> StoreTarget:
        return store_access(observed.workplan, self.config.store).target
