"""Parsing of Kubernetes objects into views."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.controller.observe.kube_objects import CREATED, meta, pod
from voxk8s.controller.observe import parse_views


def test_healthy_pod() -> None:
    """A running pod has no problems and is owned by its cluster."""
    body = pod({"state": {"running": {}}}, conditions=[{"type": "Ready", "status": "True"}])
    view = parse_views.pod(body)
    assert (view.ready, view.component, view.owner, view.problems) == (True, "worker", "c", ())


def test_pod_that_is_being_deleted() -> None:
    """A pod that is being deleted is not ready."""
    body = pod(conditions=[{"type": "Ready", "status": "True"}])
    body["metadata"]["deletionTimestamp"] = CREATED
    assert not parse_views.pod(body).ready


def test_rejected_pods_of_a_deployment() -> None:
    """Rejected pods of a Deployment are a problem with the API server's message."""
    body = {
        "metadata": meta(),
        "status": {
            "conditions": [
                {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q"}
            ]
        },
    }
    view = parse_views.deployment(body)
    assert view.problems[0].reason == "PodRejected"
    assert "exceeded quota: q" in view.problems[0].message
    assert (view.available, view.cluster) == (0, "c")


def test_cluster() -> None:
    """A DaskCluster has initial workers, an owner and a deletion time."""
    body = {"metadata": meta(deletionTimestamp=CREATED), "spec": {"worker": {"replicas": 3}}}
    view = parse_views.cluster(body)
    assert (view.workers, view.owner) == (3, "u-1")
    assert view.deleting == view.created == datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "groups"),
    [('{"gpu": 2}', {"gpu": 2}), ("[]", {}), ('{"gpu": "x"}', {}), ("{", {})],
)
def test_worker_groups_of_a_cluster(text: str, groups: dict[str, int]) -> None:
    """The annotation says which it is to have; one that somebody has edited says nothing."""
    metadata = meta(annotations={"voxk8s.io/worker-groups": text})
    assert parse_views.cluster({"metadata": metadata, "spec": {}}).groups == groups


def test_what_belongs_to_a_worker_group() -> None:
    """The group itself, Deployments and pods have its name as a label."""
    body = pod()
    assert parse_views.pod(body).group == ""
    body["metadata"]["labels"]["voxk8s.io/worker-group"] = "gpu"
    assert parse_views.pod(body).group == "gpu"
    assert parse_views.deployment(body).group == "gpu"
    assert parse_views.worker_group({**body, "spec": {"cluster": "c"}}).group == "gpu"


@pytest.mark.parametrize(
    ("status", "complete", "failed", "attempts"),
    [
        ({"active": 1}, False, False, 1),
        ({"succeeded": 1, "conditions": [
            {"type": "Complete", "status": "True", "lastTransitionTime": CREATED}]},
         True, False, 1),
        ({"failed": 7, "conditions": [
            {"type": "Failed", "status": "True", "lastTransitionTime": CREATED, "message": "m"}]},
         False, True, 7),
    ],
)  # fmt: skip
def test_job(status: dict[str, Any], complete: bool, failed: bool, attempts: int) -> None:
    """A Job has an end and a number of attempts; its cluster comes from its environment."""
    address = "tcp://vox-a-scheduler.ns.svc.cluster.local:8786"
    env = [{"name": "VOXK8S_SCHEDULER_ADDRESS", "value": address}]
    body = {
        "metadata": meta(),
        "spec": {"template": {"spec": {"containers": [{"name": "runner", "env": env}]}}},
        "status": status,
    }
    view = parse_views.job(body)
    assert (view.complete, view.failed, view.attempts) == (complete, failed, attempts)
    assert view.cluster == "vox-a"
    assert view.finished == (complete or failed)


def test_error_of_the_dask_operator() -> None:
    """Of a traceback the last line says what happened."""
    message = "Handler 'x' failed\nTraceback:\n  File y\nkr8s.ServerError: exceeded quota\n"
    found = parse_views.cluster_error(
        {"metadata": {}, "involvedObject": {"uid": "u-c"}, "message": message, "lastTimestamp": "t"}
    )
    assert (found.uid, found.message, found.time) == (
        "u-c", "kr8s.ServerError: exceeded quota", "t",
    )  # fmt: skip


def test_pods_with_keys_speak_tls() -> None:
    """The Secret with a cluster's keys is the one that its workers mount."""
    keys = {"name": "tls", "secret": {"secretName": "c-tls"}}
    volumes = [{"name": "scratch", "emptyDir": {}}, keys]
    spec = {"worker": {"spec": {"containers": [], "volumes": volumes}}}
    assert parse_views.cluster({"metadata": meta(), "spec": spec}).keys == "c-tls"
    assert not parse_views.cluster({"metadata": meta(), "spec": {}}).keys
