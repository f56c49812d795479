"""Names and labels of what belongs to a WorkPlan."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from voxk8s.api import WorkPlanResource
from voxk8s.constants import (
    APP_NAME,
    LABEL_COMPONENT,
    LABEL_INSTANCE,
    LABEL_MANAGED_BY,
    LABEL_NAME,
    LABEL_VERSION,
    LABEL_WORKPLAN,
    MANAGER_OPERATOR,
)

LABEL_LIMIT = 63
_SLUG = 18
_HASH = 12


def digest(*parts: Any, length: int = _HASH) -> str:
    """Hash JSON data, as short hexadecimal text that is the same everywhere."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def child_name(workplan: WorkPlanResource, *parts: Any) -> str:
    """Name a child: readable, its own for this WorkPlan and these parts, and short.

    At most 35 characters that form a DNS label, so that dask-kubernetes' limit of 53 for clusters
    and Kubernetes' of 63 for what is derived from them (Services, worker Deployments, labels) hold.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", workplan.metadata.name.lower())[:_SLUG].strip("-")
    return "-".join(part for part in ("vox", slug, digest(workplan.metadata.uid, *parts)) if part)


def label_value(name: str) -> str:
    """Make a label's value of a name: itself, or cut with a hash beyond 63 characters."""
    if len(name) <= LABEL_LIMIT:
        return name
    return f"{name[: LABEL_LIMIT - _HASH - 1].rstrip('-.')}-{digest(name)}"


def labels(workplan: WorkPlanResource, component: str, version: str) -> dict[str, str]:
    """Give the labels of a child: what it is, and whose."""
    return {
        LABEL_NAME: APP_NAME,
        LABEL_COMPONENT: component,
        LABEL_INSTANCE: label_value(workplan.metadata.name),
        LABEL_MANAGED_BY: MANAGER_OPERATOR,
        LABEL_VERSION: label_value(version),
        LABEL_WORKPLAN: label_value(workplan.metadata.name),
    }


def selector(workplan: WorkPlanResource) -> str:
    """Give the label selector of everything that belongs to a WorkPlan."""
    return f"{LABEL_WORKPLAN}={label_value(workplan.metadata.name)}"


def runner_name(workplan: WorkPlanResource) -> str:
    """Name the runner's ServiceAccount, Role, RoleBinding and policy."""
    return f"{child_name(workplan)}-runner"
