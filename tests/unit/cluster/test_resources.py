"""Resources of the API server."""

from __future__ import annotations

import pytest

from voxk8s.cluster.resources import JOBS, NAMESPACES, PODS, WORK_PLANS, resource_of


def test_paths() -> None:
    """Paths of the core and other groups, of collections, objects and subresources."""
    assert PODS.path() == "/api/v1/pods"
    assert PODS.path("lab", "x", "log") == "/api/v1/namespaces/lab/pods/x/log"
    assert (
        WORK_PLANS.path("lab", "x", "status")
        == "/apis/voxk8s.io/v1alpha1/namespaces/lab/workplans/x/status"
    )
    assert NAMESPACES.path("ignored", "lab") == "/api/v1/namespaces/lab"
    assert PODS.path("a/b", "../x") == "/api/v1/namespaces/a%2Fb/pods/..%2Fx"


def test_resource_of_a_manifest() -> None:
    """The resource is found by apiVersion and kind; other kinds raise KeyError."""
    assert resource_of({"apiVersion": "batch/v1", "kind": "Job"}) is JOBS
    with pytest.raises(KeyError):
        resource_of({"apiVersion": "batch/v1", "kind": "CronJob"})
