"""The manifests of one run, as the chart's values and what exists of it determine them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from voxk8s.api.workplan import OwnerReference
from voxk8s.cluster.dask_cluster import build_dask_autoscaler, build_dask_cluster
from voxk8s.cluster.kube_client import KubeObject
from voxk8s.cluster.network_policies import build_network_policies
from voxk8s.cluster.pod_template import owned_by
from voxk8s.cluster.rbac import build_compute_account, build_runner_account, build_runner_role
from voxk8s.cluster.runner_job import build_runner_job
from voxk8s.cluster.store_target import StoreTarget
from voxk8s.cluster.tls import build_tls_secret, secret_name
from voxk8s.controller.config import Config
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.store_access import store_access


@dataclass(frozen=True, slots=True)
class RunManifests:
    """Builds the manifests of runs; raises PermanentError for a spec that permits none."""

    config: Config

    def cluster(self, observed: Observed, workers: int, account: str) -> KubeObject:
        """Return the DaskCluster; `account` is the uid of the runner's account."""
        return build_dask_cluster(
            observed.run_workplan,
            self.config.defaults,
            self._target(observed),
            workers=workers,
            account=account,
        )

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
