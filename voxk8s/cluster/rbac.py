"""Who may do what: the accounts of a run's pods, and the store's credentials."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from voxk8s.api import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.pod_template import CREDENTIALS, Manifest, owned_object
from voxk8s.cluster.resources import ROLE_BINDINGS, ROLES, SECRETS, SERVICE_ACCOUNTS, ApiResource
from voxk8s.constants import (
    APP_NAME,
    GROUP,
    LABEL_COMPONENT,
    LABEL_MANAGED_BY,
    LABEL_NAME,
    MANAGER_OPERATOR,
    PLURAL,
)

COMPUTE_ACCOUNT: Final = "voxk8s-compute"
"""ServiceAccount of schedulers and workers: one for each namespace, and it may do nothing."""


def build_compute_account(namespace: str) -> Manifest:
    """Build the account without rights and token under which operations are computed.

    It belongs to the namespace, not to a WorkPlan: all runs share it, so it stays behind.
    """
    return {
        "apiVersion": SERVICE_ACCOUNTS.api_version,
        "kind": SERVICE_ACCOUNTS.kind,
        "metadata": {
            "name": COMPUTE_ACCOUNT,
            "namespace": namespace,
            "labels": {
                LABEL_NAME: APP_NAME,
                LABEL_COMPONENT: "compute",
                LABEL_MANAGED_BY: MANAGER_OPERATOR,
            },
        },
        "automountServiceAccountToken": False,
    }


def build_runner_rbac(workplan: WorkPlanResource, defaults: Defaults) -> tuple[Manifest, ...]:
    """Build the runner's account, role and binding: it reads its WorkPlan and writes its status.

    One account for each WorkPlan: a runner must not write the status of another one.
    """
    name = child_names.runner_name(workplan)
    own = workplan.metadata.name
    rules = [
        _rule(GROUP, PLURAL, own, "get"),
        _rule(GROUP, f"{PLURAL}/status", own, "patch"),
    ]
    if source := workplan.spec.source.config_map_ref:
        rules.append(_rule("", "configmaps", source.name, "get"))

    def head(api: ApiResource) -> Manifest:
        labels = child_names.labels(workplan, "runner", defaults.version)
        return owned_object(workplan, api, name, labels)

    return (
        head(SERVICE_ACCOUNTS) | {"automountServiceAccountToken": False},
        head(ROLES) | {"rules": rules},
        head(ROLE_BINDINGS)
        | {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [
                {
                    "kind": "ServiceAccount",
                    "name": name,
                    "namespace": workplan.metadata.namespace,
                }
            ],
        },
    )


def build_credentials_secret(
    workplan: WorkPlanResource, defaults: Defaults, credentials: Mapping[str, str]
) -> Manifest:
    """Build the copy of the default store's credentials that a run's pods use.

    Its name is a hash of its content, so that it is only ever created and, at the run's end,
    deleted, never changed. Other keys than the store's are left out.
    """
    data = {name: credentials[name] for name in CREDENTIALS if credentials.get(name)}
    name = child_names.child_name(workplan, "store", sorted(data.items()))
    labels = child_names.labels(workplan, "store", defaults.version)
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return owned_object(workplan, SECRETS, name, labels) | {
        "type": "Opaque",
        "immutable": True,
        "data": encoded,
    }


def _rule(group: str, resources: str, name: str, *verbs: str) -> Manifest:
    return {
        "apiGroups": [group],
        "resources": [resources],
        "resourceNames": [name],
        "verbs": list(verbs),
    }
