"""The kinds of Kubernetes objects that voxk8s handles, and where the API server keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from voxk8s.constants import GROUP, KIND, PLURAL, VERSION


@dataclass(frozen=True, slots=True)
class ApiResource:
    """A type of objects that the API server serves; the core group is ""."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Group and version as objects write them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """Path of the collection, or of one object, or of a part of it."""
        parts = ["/apis" if self.group else "/api", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


WORK_PLANS: Final = ApiResource(GROUP, VERSION, PLURAL, KIND)
DASK_CLUSTERS: Final = ApiResource("kubernetes.dask.org", "v1", "daskclusters", "DaskCluster")
DASK_WORKER_GROUPS: Final = ApiResource(
    "kubernetes.dask.org", "v1", "daskworkergroups", "DaskWorkerGroup"
)
DASK_AUTOSCALERS: Final = ApiResource(
    "kubernetes.dask.org", "v1", "daskautoscalers", "DaskAutoscaler"
)
DEPLOYMENTS: Final = ApiResource("apps", "v1", "deployments", "Deployment")
REPLICA_SETS: Final = ApiResource("apps", "v1", "replicasets", "ReplicaSet")
JOBS: Final = ApiResource("batch", "v1", "jobs", "Job")
PODS: Final = ApiResource("", "v1", "pods", "Pod")
SERVICES: Final = ApiResource("", "v1", "services", "Service")
SECRETS: Final = ApiResource("", "v1", "secrets", "Secret")
CONFIG_MAPS: Final = ApiResource("", "v1", "configmaps", "ConfigMap")
SERVICE_ACCOUNTS: Final = ApiResource("", "v1", "serviceaccounts", "ServiceAccount")
EVENTS: Final = ApiResource("", "v1", "events", "Event")
NAMESPACES: Final = ApiResource("", "v1", "namespaces", "Namespace", namespaced=False)
ROLES: Final = ApiResource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS: Final = ApiResource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
NETWORK_POLICIES: Final = ApiResource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
LEASES: Final = ApiResource("coordination.k8s.io", "v1", "leases", "Lease")
CRDS: Final = ApiResource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)

ALL: Final[tuple[ApiResource, ...]] = (
    WORK_PLANS,
    DASK_CLUSTERS,
    DASK_WORKER_GROUPS,
    DASK_AUTOSCALERS,
    DEPLOYMENTS,
    REPLICA_SETS,
    JOBS,
    PODS,
    SERVICES,
    SECRETS,
    CONFIG_MAPS,
    SERVICE_ACCOUNTS,
    EVENTS,
    NAMESPACES,
    ROLES,
    ROLE_BINDINGS,
    NETWORK_POLICIES,
    LEASES,
    CRDS,
)

_BY_NAME = {(each.api_version, each.kind): each for each in ALL}


def resource_of(manifest: dict[str, object]) -> ApiResource:
    """Find the kind of a manifest; raises KeyError for one that voxk8s does not handle."""
    return _BY_NAME[str(manifest["apiVersion"]), str(manifest["kind"])]
