"""The Kubernetes resources that voxk8s uses, and their paths on the API server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from voxk8s.constants import GROUP, KIND, PLURAL, VERSION


@dataclass(frozen=True, slots=True)
class ApiResource:
    """A resource of the API server; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Value of an object's `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """Return the path of the collection, of one object, or of a subresource."""
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
JOBS: Final = ApiResource("batch", "v1", "jobs", "Job")
PODS: Final = ApiResource("", "v1", "pods", "Pod")
SERVICES: Final = ApiResource("", "v1", "services", "Service")
SECRETS: Final = ApiResource("", "v1", "secrets", "Secret")
CONFIG_MAPS: Final = ApiResource("", "v1", "configmaps", "ConfigMap")
RESOURCE_QUOTAS: Final = ApiResource("", "v1", "resourcequotas", "ResourceQuota")
SERVICE_ACCOUNTS: Final = ApiResource("", "v1", "serviceaccounts", "ServiceAccount")
EVENTS: Final = ApiResource("", "v1", "events", "Event")
NAMESPACES: Final = ApiResource("", "v1", "namespaces", "Namespace", namespaced=False)
ROLES: Final = ApiResource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS: Final = ApiResource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
NETWORK_POLICIES: Final = ApiResource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
PRIORITY_CLASSES: Final = ApiResource(
    "scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False
)
_KUEUE = ("kueue.x-k8s.io", "v1beta2")
# Kueue serves v1beta1 as well, deprecated and with a warning, and stores v1beta2 since 0.15.
WORKLOADS: Final = ApiResource(*_KUEUE, "workloads", "Workload")
RESOURCE_FLAVORS: Final = ApiResource(
    *_KUEUE, "resourceflavors", "ResourceFlavor", namespaced=False
)
WORKLOAD_PRIORITY_CLASSES: Final = ApiResource(
    *_KUEUE, "workloadpriorityclasses", "WorkloadPriorityClass", namespaced=False
)
LEASES: Final = ApiResource("coordination.k8s.io", "v1", "leases", "Lease")
CRDS: Final = ApiResource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)

_BY_KIND = {
    (each.api_version, each.kind): each
    for each in tuple(globals().values())
    if isinstance(each, ApiResource)
}


def resource_of(manifest: dict[str, object]) -> ApiResource:
    """Return the resource of a manifest; raises KeyError for kinds that are not listed here."""
    return _BY_KIND[str(manifest["apiVersion"]), str(manifest["kind"])]
