"""Names and labels of the children of a WorkPlan."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from voxk8s import constants
from voxk8s.api.workplan import WorkPlanResource

LABEL_LIMIT = 63
_SLUG_LENGTH = 18
_HASH_LENGTH = 12


def short_hash(*parts: Any, length: int = _HASH_LENGTH) -> str:
    """Return the first `length` hexadecimal digits of the SHA-256 of JSON data."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def child_name(workplan: WorkPlanResource, *parts: Any) -> str:
    """Return the name of a child: part of the WorkPlan's name, and a hash of its uid and `parts`.

    It is a DNS label of at most 35 characters: dask-kubernetes allows 53 for a cluster, Kubernetes
    63 for the names that are derived from it (Services, worker Deployments, labels).
    """
    slug = re.sub(r"[^a-z0-9]+", "-", workplan.metadata.name.lower())[:_SLUG_LENGTH].strip("-")
    return "-".join(
        part for part in ("vox", slug, short_hash(workplan.metadata.uid, *parts)) if part
    )


def label_value(name: str) -> str:
    """Return a name as a label value: itself, or cut to 63 characters that end in a hash."""
    if len(name) <= LABEL_LIMIT:
        return name
    return f"{name[: LABEL_LIMIT - _HASH_LENGTH - 1].rstrip('-.')}-{short_hash(name)}"


def may_be_shortened(label: str) -> bool:
    """Whether a label value may stand for a name that is longer."""
    return re.search(rf"-[0-9a-f]{{{_HASH_LENGTH}}}$", label) is not None


def child_labels(workplan: WorkPlanResource, component: str, version: str) -> dict[str, str]:
    """Return the labels of a child, which name its component and its WorkPlan."""
    return {
        constants.LABEL_NAME: constants.APP_NAME,
        constants.LABEL_COMPONENT: component,
        constants.LABEL_INSTANCE: label_value(workplan.metadata.name),
        constants.LABEL_MANAGED_BY: constants.MANAGER_OPERATOR,
        constants.LABEL_VERSION: label_value(version),
        constants.LABEL_WORKPLAN: label_value(workplan.metadata.name),
    }


def label_selector(workplan: WorkPlanResource) -> str:
    """Return the label selector of all children of a WorkPlan."""
    return f"{constants.LABEL_WORKPLAN}={label_value(workplan.metadata.name)}"


def runner_name(workplan: WorkPlanResource) -> str:
    """Return the name of the runner's ServiceAccount, Role, RoleBinding and NetworkPolicy."""
    return f"{child_name(workplan)}-runner"
