"""Parsing of Kubernetes objects into views."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from voxk8s.controller.observe import parse_views

CREATED = "2026-05-04T12:00:00Z"
OWNER = {"apiVersion": "voxk8s.io/v1alpha1", "kind": "WorkPlan", "name": "wp", "uid": "u-1"}


def meta(**more: Any) -> dict[str, Any]:
    """Make metadata."""
    return {
        "name": "thing",
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


def of(component: str, thing: dict[str, Any]) -> dict[str, Any]:
    """Change the component of a pod."""
    thing["metadata"]["labels"]["app.kubernetes.io/component"] = component
    return thing


@pytest.mark.parametrize(
    ("thing", "reason", "words"),
    [
        pytest.param(
            pod({"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no route"}}}),
            "ImagePullFailed", ["img:1", "no route"], id="image",
        ),
        pytest.param(
            pod({"state": {"waiting": {"reason": "ErrImagePull", "message": "x"}}}),
            "ImagePullFailed", ["img:1"], id="first try of an image",
        ),
        pytest.param(
            pod({"state": {"running": {}}, "lastState": {"terminated": {"reason": "OOMKilled"}}}),
            "OutOfMemory", ["600Mi", "spec.cluster.worker.resources.limits.memory", "threadsPer"],
            id="killed before",
        ),
        pytest.param(
            pod({"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}),
            "OutOfMemory", ["600Mi"], id="killed now",
        ),
        pytest.param(
            of("runner", pod({"state": {"terminated": {"reason": "OOMKilled"}}})),
            "OutOfMemory", ["600Mi", "spec.cluster.runner.resources.limits.memory."],
            id="killed runner",
        ),
        pytest.param(
            pod(conditions=[{
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": "0/1 nodes are available: 1 Insufficient cpu.",
            }]),
            "Unschedulable", ["Insufficient cpu"], id="no node",
        ),
        pytest.param(
            pod({"state": {"waiting": {
                "reason": "CreateContainerConfigError", "message": 'secret "k" not found',
            }}}),
            "PodRejected", ['secret "k" not found'], id="missing secret",
        ),
        pytest.param(
            pod({
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": "Error", "exitCode": 3, "message": "boo"}},
            }),
            "WorkerLost", ["exit code 3", "boo"], id="crashes",
        ),
        pytest.param(
            pod(phase="Failed", reason="Evicted", message="disk pressure"),
            "WorkerLost", ["Evicted", "disk pressure"], id="evicted",
        ),
    ],
)  # fmt: skip
def test_pod_problems(thing: dict[str, Any], reason: str, words: list[str]) -> None:
    """Each problem has its reason, and a message that names its cause."""
    found = parse_views.pod(thing).problems
    assert [problem.reason for problem in found] == [reason]
    assert all(word in found[0].message for word in words)


def test_healthy_pod() -> None:
    """A running pod has no problems and is owned by its cluster."""
    thing = pod({"state": {"running": {}}}, conditions=[{"type": "Ready", "status": "True"}])
    view = parse_views.pod(thing)
    assert (view.ready, view.component, view.owner, view.problems) == (True, "worker", "c", ())


def test_runner_with_rejected_credentials() -> None:
    """The end of a runner whose credentials were rejected has a time, other ends have not."""
    ended = {"exitCode": 75, "finishedAt": CREATED, "message": "access denied"}
    view = parse_views.pod(of("runner", pod({"state": {"terminated": ended}})))
    assert view.credentials_rejected_at is not None
    assert view.credentials_rejected_at.isoformat() == CREATED.replace("Z", "+00:00")
    other = parse_views.pod(of("runner", pod({"state": {"terminated": {**ended, "exitCode": 1}}})))
    assert other.credentials_rejected_at is None


def test_pod_that_is_being_deleted() -> None:
    """A pod that is being deleted is not ready."""
    thing = pod(conditions=[{"type": "Ready", "status": "True"}])
    thing["metadata"]["deletionTimestamp"] = CREATED
    assert not parse_views.pod(thing).ready


def test_rejected_pods_of_a_deployment() -> None:
    """Rejected pods of a Deployment are a problem with the API server's message."""
    thing = {
        "metadata": meta(),
        "status": {
            "conditions": [
                {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q"}
            ]
        },
    }
    view = parse_views.deployment(thing)
    assert view.problems[0].reason == "PodRejected"
    assert "exceeded quota: q" in view.problems[0].message
    assert (view.available, view.cluster) == (0, "c")


def test_cluster() -> None:
    """A DaskCluster has initial workers, an owner and a deletion time."""
    thing = {"metadata": meta(deletionTimestamp=CREATED), "spec": {"worker": {"replicas": 3}}}
    view = parse_views.cluster(thing)
    assert (view.workers, view.owner) == (3, "u-1")
    assert view.deleting == view.created == datetime(2026, 5, 4, 12, tzinfo=UTC)


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
    thing = {
        "metadata": meta(),
        "spec": {"template": {"spec": {"containers": [{"name": "runner", "env": env}]}}},
        "status": status,
    }
    view = parse_views.job(thing)
    assert (view.complete, view.failed, view.attempts) == (complete, failed, attempts)
    assert view.cluster == "vox-a"
    assert view.finished == (complete or failed)


def test_secret_of_a_run() -> None:
    """The Secret of a cluster or Job is the one with its pods' S3 key."""
    reference = {"secretKeyRef": {"name": "vox-store", "key": "AWS_ACCESS_KEY_ID"}}
    env = [{"name": "A", "value": "1"}, {"name": "AWS_ACCESS_KEY_ID", "valueFrom": reference}]
    spec = {"containers": [{"name": "main", "env": env}]}
    cluster = parse_views.cluster({"metadata": meta(), "spec": {"worker": {"spec": spec}}})
    job = parse_views.job({"metadata": meta(), "spec": {"template": {"spec": spec}}})
    assert (cluster.secret, job.secret) == ("vox-store", "vox-store")
    assert parse_views.cluster({"metadata": meta(), "spec": {}}).secret == ""
