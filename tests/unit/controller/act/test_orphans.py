"""Cleanup of what the dask operator leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controller.observed_builders import later
from voxk8s.controller.act import orphans
from voxk8s.controller.act.orphans import FINALIZER, orphaned_worker_groups, stuck_autoscalers
from voxk8s.controller.observe.cluster_state import ClusterState


def state(**clusters: str | None) -> ClusterState:
    """Make informers with these DaskClusters, by name, with their deletion times."""
    made = ClusterState(lambda _: None, lambda _: None)
    for name, deleted in clusters.items():
        body = thing_of(name, deleted)
        made.clusters.upsert({**body, "spec": {"worker": {"replicas": 1}}})
    return made


def thing_of(name: str, deleted: str | None, **metadata: Any) -> dict[str, Any]:
    """Make an object as the API server returns it."""
    stamp = {"deletionTimestamp": deleted} if deleted else {}
    created = {"creationTimestamp": "2026-05-04T12:00:00Z", "uid": f"u-{name}"}
    return {"metadata": {"namespace": "ns", "name": name, **created, **stamp, **metadata}}


def scaler(deleted: str | None, *finalizers: str) -> dict[str, Any]:
    """Make a DaskAutoscaler of the cluster `c`."""
    body = thing_of("c", deleted, finalizers=list(finalizers))
    return {**body, "spec": {"cluster": "c", "minimum": 0, "maximum": 2}}


START = "2026-05-04T12:00:00Z"


def test_autoscaler_without_a_cluster() -> None:
    """A deleted autoscaler without a cluster is stuck after the grace period."""
    caches = state()
    caches.autoscalers.upsert(scaler(START, FINALIZER))
    assert not list(stuck_autoscalers(caches, later(1)))
    assert [key for key, _ in stuck_autoscalers(caches, later(4))] == [("ns", "c")]


@pytest.mark.parametrize(
    ("clusters", "body"),
    [
        pytest.param({"c": None}, scaler(START, FINALIZER), id="its cluster stays"),
        pytest.param({}, scaler(None, FINALIZER), id="it stays itself"),
        pytest.param({}, scaler(START, "foregroundDeletion"), id="another finalizer holds it"),
    ],
)
def test_autoscaler_that_is_not_stuck(
    clusters: dict[str, str | None], body: dict[str, Any]
) -> None:
    """Autoscalers that are in use, or that another finalizer keeps, are not touched."""
    caches = state(**clusters)
    caches.autoscalers.upsert(body)
    assert not list(stuck_autoscalers(caches, later(60)))


async def test_only_the_finalizer_of_the_dask_operator_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Other finalizers are kept."""
    caches = state(c=START)
    caches.autoscalers.upsert(scaler(START, "mine", FINALIZER))
    patched: list[Any] = []

    class Done(Exception):
        pass

    class KubeClient:
        async def patch(self, *arguments: Any) -> None:
            patched.append(arguments[1:])
            raise Done

    kube: Any = KubeClient()
    monkeypatch.setattr(orphans, "_INTERVAL", 0.0)
    with pytest.raises(Done):
        await orphans.cleanup_orphans(kube, caches, lambda: later(60))
    assert patched == [("c", {"metadata": {"uid": "u-c", "finalizers": ["mine"]}}, "ns")]


def worker_group(**labels: str) -> dict[str, Any]:
    """Make a DaskWorkerGroup of the cluster `c`."""
    marks = {"app.kubernetes.io/managed-by": "voxk8s-operator", **labels}
    return {**thing_of("c-default", None, labels=marks), "spec": {"cluster": "c", "worker": {}}}


def test_worker_group_without_a_cluster() -> None:
    """A worker group without a cluster is orphaned, once the clusters are synced."""
    caches = state()
    caches.worker_groups.upsert(worker_group())
    assert not list(orphaned_worker_groups(caches, later(60)))
    caches.clusters.synced.set()
    assert not list(orphaned_worker_groups(caches, later(10)))
    assert [group.uid for _, group in orphaned_worker_groups(caches, later(60))] == ["u-c-default"]


@pytest.mark.parametrize(
    ("clusters", "managed_by"), [({"c": None}, "voxk8s-operator"), ({}, "another")]
)
def test_worker_group_that_is_not_orphaned(
    clusters: dict[str, str | None], managed_by: str
) -> None:
    """A group with a cluster is kept, and so is one that the operator did not create."""
    caches = state(**clusters)
    caches.clusters.synced.set()
    caches.worker_groups.upsert(worker_group(**{"app.kubernetes.io/managed-by": managed_by}))
    assert not list(orphaned_worker_groups(caches, later(60)))
