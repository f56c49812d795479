"""The kinds of Kubernetes objects that voxk8s handles, and where the API server keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from voxk8s.constants import GROUP, KIND, PLURAL, VERSION


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind: its group ("" for core), version, plural and name."""

    group: str
    version: str
    plural: str
    name: str
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


WORK_PLANS: Final = Kind(GROUP, VERSION, PLURAL, KIND)
DASK_CLUSTERS: Final = Kind("kubernetes.dask.org", "v1", "daskclusters", "DaskCluster")
DASK_WORKER_GROUPS: Final = Kind("kubernetes.dask.org", "v1", "daskworkergroups", "DaskWorkerGroup")
DASK_AUTOSCALERS: Final = Kind("kubernetes.dask.org", "v1", "daskautoscalers", "DaskAutoscaler")
DEPLOYMENTS: Final = Kind("apps", "v1", "deployments", "Deployment")
REPLICA_SETS: Final = Kind("apps", "v1", "replicasets", "ReplicaSet")
JOBS: Final = Kind("batch", "v1", "jobs", "Job")
PODS: Final = Kind("", "v1", "pods", "Pod")
SERVICES: Final = Kind("", "v1", "services", "Service")
SECRETS: Final = Kind("", "v1", "secrets", "Secret")
CONFIG_MAPS: Final = Kind("", "v1", "configmaps", "ConfigMap")
SERVICE_ACCOUNTS: Final = Kind("", "v1", "serviceaccounts", "ServiceAccount")
EVENTS: Final = Kind("", "v1", "events", "Event")
NAMESPACES: Final = Kind("", "v1", "namespaces", "Namespace", namespaced=False)
ROLES: Final = Kind("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS: Final = Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
NETWORK_POLICIES: Final = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
LEASES: Final = Kind("coordination.k8s.io", "v1", "leases", "Lease")
CRDS: Final = Kind(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)

ALL: Final[tuple[Kind, ...]] = (
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

_BY_NAME = {(kind.api_version, kind.name): kind for kind in ALL}


def kind_of(manifest: dict[str, object]) -> Kind:
    """Find the kind of a manifest; raises KeyError for one that voxk8s does not handle."""
    return _BY_NAME[str(manifest["apiVersion"]), str(manifest["kind"])]
