"""Service accounts of a run's pods, and the Role and RoleBinding of its runner."""

from __future__ import annotations

from typing import Final

from voxk8s import constants
from voxk8s.api.workplan import OwnerReference, WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.pod_template import Manifest, owned_object
from voxk8s.cluster.resources import ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS
from voxk8s.cluster.store_target import StoreTarget

COMPUTE_ACCOUNT: Final = "voxk8s-compute"
"""ServiceAccount of schedulers and workers, one per namespace, without permissions."""


def build_compute_account(namespace: str) -> Manifest:
    """Build the service account of schedulers and workers, without permissions and token.

    All runs of the namespace share it, so no WorkPlan owns it and it is never deleted.
    """
    return {
        "apiVersion": SERVICE_ACCOUNTS.api_version,
        "kind": SERVICE_ACCOUNTS.kind,
        "metadata": {
            "name": COMPUTE_ACCOUNT,
            "namespace": namespace,
            "labels": {
                constants.LABEL_NAME: constants.APP_NAME,
                constants.LABEL_COMPONENT: "compute",
                constants.LABEL_MANAGED_BY: constants.MANAGER_OPERATOR,
            },
        },
        "automountServiceAccountToken": False,
    }


def build_runner_account(workplan: WorkPlanResource, defaults: Defaults) -> Manifest:
    """Build the runner's ServiceAccount, which owns all else that gives a run's pods access.

    Whoever deletes it deletes that, too, the keys for TLS included, without the right to read or
    delete Secrets.
    """
    labels = child_names.child_labels(workplan, "runner", defaults.version)
    name = child_names.runner_name(workplan)
    return owned_object(workplan, SERVICE_ACCOUNTS, name, labels) | {
        "automountServiceAccountToken": False
    }


def account_reference(name: str, uid: str) -> OwnerReference:
    """Return the reference to a runner's ServiceAccount by what it owns, which is deleted first."""
    return OwnerReference(
        api_version=SERVICE_ACCOUNTS.api_version,
        kind=SERVICE_ACCOUNTS.kind,
        name=name,
        uid=uid,
        controller=False,
        block_owner_deletion=True,
    )


def named_account(workplan: WorkPlanResource, store: StoreTarget) -> str:
    """Return the account of runner and workers that has rights on the store; empty for our own."""
    return workplan.spec.cluster.service_account_name or store.service_account


def build_runner_role(
    workplan: WorkPlanResource, defaults: Defaults, store: StoreTarget
) -> tuple[Manifest, ...]:
    """Build the runner's Role and RoleBinding.

    The Role permits to get the WorkPlan and the ConfigMap of its source, and to patch its status.
    There is one for each WorkPlan: a runner must not write the status of another WorkPlan.
    """
    name = child_names.runner_name(workplan)
    rules = [
        _rule(constants.GROUP, constants.PLURAL, workplan.metadata.name, "get"),
        _rule(constants.GROUP, f"{constants.PLURAL}/status", workplan.metadata.name, "patch"),
    ]
    if source := workplan.spec.source.config_map_ref:
        rules.append(_rule("", "configmaps", source.name, "get"))
    labels = child_names.child_labels(workplan, "runner", defaults.version)
    return (
        owned_object(workplan, ROLES, name, labels) | {"rules": rules},
        owned_object(workplan, ROLE_BINDINGS, name, labels)
        | {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [
                {
                    "kind": "ServiceAccount",
                    "name": named_account(workplan, store) or name,
                    "namespace": workplan.metadata.namespace,
                }
            ],
        },
    )


def _rule(group: str, resources: str, name: str, *verbs: str) -> Manifest:
    return {
        "apiGroups": [group],
        "resources": [resources],
        "resourceNames": [name],
        "verbs": list(verbs),
    }
