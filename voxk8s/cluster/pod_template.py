"""What all pods of a run have in common: security, scratch space, shape.

Pods meet Pod Security "restricted" with fields that Kubernetes 1.21 already had, since
dask-kubernetes' CRDs cut away newer ones without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from voxk8s.api import PodTemplate, Resources, WorkPlanResource, encode
from voxk8s.cluster.defaults import Defaults, StoreTarget
from voxk8s.cluster.resources import ApiResource
from voxk8s.constants import (
    ENV_LOCAL_INPUTS,
    ENV_S3_ENDPOINT,
    ENV_S3_REGION,
    ENV_STORE,
    ENV_TEST_KERNELS,
)

Manifest: TypeAlias = dict[str, Any]

GRACE_SECONDS = 5
SCRATCH = "/tmp"  # noqa: S108 -- an emptyDir of the pod's own
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
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
    """Build a container of the engine's image that may do nothing but compute."""
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
    main: Manifest,
    shape: PodTemplate,
    workplan: WorkPlanResource,
    defaults: Defaults,
    *,
    service_account: str,
    token: bool,
) -> Manifest:
    """Build the spec of a pod around its container; only with `token` it can call the API."""
    identity: Manifest = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if defaults.run_as is not None:
        identity |= {
            "runAsUser": defaults.run_as,
            "runAsGroup": defaults.run_as,
            "fsGroup": defaults.run_as,
        }
    spec: Manifest = {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": token,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": identity,
        "containers": [main],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }
    secrets = [secret.name for secret in workplan.spec.cluster.image_pull_secrets or ()]
    if secrets or defaults.image_pull_secrets:
        spec["imagePullSecrets"] = [
            {"name": name} for name in dict.fromkeys((*secrets, *defaults.image_pull_secrets))
        ]
    if shape.node_selector:
        spec["nodeSelector"] = dict(shape.node_selector)
    if shape.tolerations:
        spec["tolerations"] = [encode(toleration) for toleration in shape.tolerations]
    if shape.affinity:
        spec["affinity"] = shape.affinity
    if shape.priority_class_name:
        spec["priorityClassName"] = shape.priority_class_name
    return spec


def pod_metadata(shape: PodTemplate, labels: Mapping[str, str]) -> Manifest:
    """Build the labels and annotations of a pod; ours win over the user's."""
    metadata: Manifest = {"labels": {**(shape.labels or {}), **labels}}
    if shape.annotations:
        metadata["annotations"] = dict(shape.annotations)
    return metadata


def environment(
    shape: PodTemplate, defaults: Defaults, *own: Iterable[tuple[str, str] | Manifest]
) -> list[Manifest]:
    """Build a container's environment: the user's, the chart's, then ours, each name once."""
    variables: dict[str, Manifest] = {}
    for variable in shape.env or ():
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


def store_env(store: StoreTarget, *, credentials: bool) -> list[tuple[str, str] | Manifest]:
    """Say where the store is; its credentials only to pods that need them, from the Secret."""
    env: list[tuple[str, str] | Manifest] = [(ENV_STORE, store.url)]
    if store.endpoint:
        env.append((ENV_S3_ENDPOINT, store.endpoint))
    if store.region:
        env.append((ENV_S3_REGION, store.region))
    if credentials and store.secret:
        env += [
            {
                "name": name,
                "valueFrom": {
                    "secretKeyRef": {
                        "name": store.secret,
                        "key": name,
                        "optional": name == "AWS_SESSION_TOKEN",
                    }
                },
            }
            for name in CREDENTIALS
        ]
    return env


def single_thread_env() -> list[tuple[str, str]]:
    """Keep libraries from starting threads of their own: Dask runs one operation a thread."""
    return [(name, "1") for name in _ONE_THREAD]


def owned_object(
    workplan: WorkPlanResource, api: ApiResource, name: str, labels: Mapping[str, str]
) -> Manifest:
    """Build the head of an object that goes when its WorkPlan goes."""
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
