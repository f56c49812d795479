"""Parts of the pod templates of a run: container, pod spec, metadata, environment.

Pods comply with the Pod Security standard "restricted" using only fields that Kubernetes 1.21 has:
dask-kubernetes' CRDs prune newer fields silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from voxk8s.api.spec import PodTemplate, Resources
from voxk8s.api.workplan import OwnerReference, WorkPlanResource, encode
from voxk8s.cluster import child_names
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.policy import is_nothing
from voxk8s.cluster.quantities import parse_quantity
from voxk8s.cluster.resources import ApiResource
from voxk8s.cluster.run_inputs import INPUT_VARIABLES
from voxk8s.constants import (
    DASK_LOG_LENGTH,
    ENV_DASK_LOG_LENGTH,
    ENV_LOCAL_INPUTS,
    ENV_TEST_KERNELS,
    GROUP,
    LABEL_COMPONENT,
    LABEL_WORKER_GROUP,
    LABEL_WORKPLAN,
)

Manifest: TypeAlias = dict[str, Any]

TERMINATION_GRACE_SECONDS = 5
_DISK = "ephemeral-storage"
SCRATCH = "/tmp"  # noqa: S108 -- an emptyDir of the pod
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


def container(
    name: str,
    command: list[str],
    env: list[Manifest],
    workplan: WorkPlanResource,
    defaults: Defaults,
    resources: Resources,
) -> Manifest:
    """Build an unprivileged container of the engine image, with a scratch volume at /tmp."""
    return {
        "name": name,
        "image": workplan.spec.cluster.image or defaults.engine_image,
        "imagePullPolicy": defaults.image_pull_policy,
        "command": command,
        "env": env,
        "resources": encode(resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": SCRATCH}],
    }


def pod_spec(
    container: Manifest,
    template: PodTemplate,
    workplan: WorkPlanResource,
    defaults: Defaults,
    *,
    service_account: str,
    token: bool,
) -> Manifest:
    """Build a pod spec around its container; `token` mounts the service account's token."""
    security_context: Manifest = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if defaults.run_as is not None:
        security_context |= {
            "runAsUser": defaults.run_as,
            "runAsGroup": defaults.run_as,
            "fsGroup": defaults.run_as,
        }
    spec: Manifest = {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": token,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": TERMINATION_GRACE_SECONDS,
        "securityContext": security_context,
        "containers": [container],
        "volumes": [{"name": "scratch", "emptyDir": _scratch(container)}],
    }
    secrets = [secret.name for secret in workplan.spec.cluster.image_pull_secrets or ()]
    if secrets or defaults.image_pull_secrets:
        spec["imagePullSecrets"] = [
            {"name": name} for name in dict.fromkeys((*secrets, *defaults.image_pull_secrets))
        ]
    if template.node_selector:
        spec["nodeSelector"] = dict(template.node_selector)
    if template.tolerations:
        spec["tolerations"] = [encode(toleration) for toleration in template.tolerations]
    if template.affinity:
        spec["affinity"] = template.affinity
    for field, given in (
        ("runtimeClassName", template.runtime_class_name),
        ("schedulerName", template.scheduler_name),
    ):
        if given:
            spec[field] = given
    if template.host_aliases:
        spec["hostAliases"] = [encode(alias) for alias in template.host_aliases]
    if template.topology_spread_constraints:
        selector: Manifest = {
            "matchLabels": {
                LABEL_WORKPLAN: child_names.label_value(workplan.metadata.name),
                LABEL_COMPONENT: container["name"],
            }
        }
        if workplan.spec.cluster.worker_groups and container["name"] == "worker":
            # The pods of other groups are counted by constraints of their own.
            selector["matchExpressions"] = [{"key": LABEL_WORKER_GROUP, "operator": "DoesNotExist"}]
        spec["topologySpreadConstraints"] = [
            {
                "topologyKey": spread.topology_key,
                "maxSkew": spread.max_skew,
                "whenUnsatisfiable": spread.when_unsatisfiable,
                "labelSelector": selector,
            }
            for spread in template.topology_spread_constraints
        ]
    if template.env_from:
        container["envFrom"] = [encode(source) for source in template.env_from]
    priority = template.priority_class_name or defaults.priority_class(workplan.spec.priority)
    if priority:
        spec["priorityClassName"] = priority
    return spec


def resources_of(
    given: Resources | None, default: Resources, most: Mapping[str, int | str] | None = None
) -> Resources:
    """Return the resources of a container: those of the WorkPlan, or the chart's.

    Without a limit of `ephemeral-storage` a run could fill the disk of its node. So the chart's
    applies where the WorkPlan has none, and also bounds the WorkPlan's, unless the policy's limits,
    `most`, say more. Raises InvalidUsage for an amount that cannot be read.
    """
    if given is None:
        return default
    requests, limits = dict(given.requests or {}), dict(given.limits or {})
    if is_nothing(limits.get(_DISK, 0)):
        if _DISK not in requests:
            requests |= _only(default.requests, _DISK)
        limits |= _only(default.limits, _DISK)
    elif default.limits and _DISK in default.limits:
        bounds = (default.limits[_DISK], *_only(most, _DISK).values())
        limits[_DISK] = min(limits[_DISK], max(bounds, key=parse_quantity), key=parse_quantity)
    if _DISK in requests and _DISK in limits:
        requests[_DISK] = min(requests[_DISK], limits[_DISK], key=parse_quantity)
    return Resources(requests=requests or None, limits=limits or None)


def _only(amounts: Mapping[str, int | str] | None, name: str) -> dict[str, int | str]:
    return {name: amounts[name]} if amounts and name in amounts else {}


def _scratch(container: Manifest) -> Manifest:
    """Return the source of the volume at /tmp, as large as the container's files may be."""
    limit = (container["resources"].get("limits") or {}).get(_DISK)
    return {} if limit is None else {"sizeLimit": limit}


def pod_metadata(template: PodTemplate, labels: Mapping[str, str]) -> Manifest:
    """Build the metadata of a pod: the user's labels and annotations, overridden by `labels`.

    A user's labels of voxk8s are left out: a worker with that of a group would be taken for one.
    """
    given = {
        name: value
        for name, value in (template.labels or {}).items()
        if not name.startswith(f"{GROUP}/")
    }
    metadata: Manifest = {"labels": {**given, **labels}}
    if template.annotations:
        metadata["annotations"] = dict(template.annotations)
    return metadata


def container_env(
    template: PodTemplate,
    defaults: Defaults,
    *own: Iterable[tuple[str, str] | Manifest],
    base: Iterable[tuple[str, str]] = (),
) -> list[Manifest]:
    """Build a container's `env`: `base`, the user's, the chart's, then `own`; later ones win."""
    first = ((ENV_DASK_LOG_LENGTH, str(DASK_LOG_LENGTH)), *base)
    variables: dict[str, Manifest] = {name: {"name": name, "value": value} for name, value in first}
    for variable in template.env or ():
        if variable.name not in INPUT_VARIABLES:
            variables[variable.name] = {"name": variable.name, "value": variable.value}
    groups: list[Iterable[tuple[str, str] | Manifest]] = [
        sorted(defaults.engine_env.items()),
        [("HOME", SCRATCH), ("TMPDIR", SCRATCH), (ENV_LOCAL_INPUTS, "false")],
        [(ENV_TEST_KERNELS, "1")] if defaults.test_kernels else [],
        *own,
    ]
    for group in groups:
        for item in group:
            entry = item if isinstance(item, dict) else {"name": item[0], "value": item[1]}
            variables.pop(entry["name"], None)
            variables[entry["name"]] = entry
    return list(variables.values())


def single_thread_env() -> list[tuple[str, str]]:
    """Return variables that make libraries use one thread: Dask runs an operation per thread."""
    return [(name, "1") for name in _ONE_THREAD]


def owned_by(manifest: Manifest, owner: OwnerReference) -> Manifest:
    """Return a manifest with another owner than the WorkPlan: it is deleted with that one."""
    return manifest | {"metadata": manifest["metadata"] | {"ownerReferences": [encode(owner)]}}


def owned_object(
    workplan: WorkPlanResource, api: ApiResource, name: str, labels: Mapping[str, str]
) -> Manifest:
    """Build a manifest without spec, owned by the WorkPlan and so deleted with it."""
    return {
        "apiVersion": api.api_version,
        "kind": api.kind,
        "metadata": {
            "name": name,
            "namespace": workplan.metadata.namespace,
            "labels": dict(labels),
            "ownerReferences": [encode(workplan.owner_reference())],
        },
    }
