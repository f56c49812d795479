"""Kubernetes objects as the API server returns them."""

from __future__ import annotations

from typing import Any

CREATED = "2026-05-04T12:00:00Z"
OWNER = {"apiVersion": "voxk8s.io/v1alpha1", "kind": "WorkPlan", "name": "wp", "uid": "u-1"}


def meta(**more: Any) -> dict[str, Any]:
    """Make metadata."""
    return {
        "name": "body",
        "namespace": "ns",
        "uid": "u-2",
        "creationTimestamp": CREATED,
        "labels": {
            "voxk8s.io/workplan": "wp",
            "app.kubernetes.io/component": "worker",
            "dask.org/cluster-name": "c",
            "dask.org/component": "worker",
        },
        "ownerReferences": [OWNER],
        **more,
    }


def pod(container: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    """Make a pod with one container of 600Mi."""
    statuses = [{"name": "worker", "image": "img:1", **container}] if container else []
    return {
        "metadata": meta(),
        "spec": {"containers": [{"name": "worker", "resources": {"limits": {"memory": "600Mi"}}}]},
        "status": {"containerStatuses": statuses, **status},
    }


def component(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Change the component of a pod."""
    body["metadata"]["labels"]["app.kubernetes.io/component"] = name
    return body


def of_group(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Make a pod one of a worker group."""
    body["metadata"]["labels"]["voxk8s.io/worker-group"] = name
    return body
