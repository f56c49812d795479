"""Cleanup of what the dask operator leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import later
from voxk8s.cluster.kube_errors import KindMissing
from voxk8s.cluster.resources import ApiResource
from voxk8s.controller.act.orphans import (
    FINALIZER,
    delete_autoscalers,
    delete_orphan,
    free_autoscaler,
    orphaned_worker_groups,
    stuck_autoscalers,
)
from voxk8s.controller.observe import parse_views
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import AutoscalerView
from voxk8s.controller.work_queue import ObjectKey


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


class Live(ScriptedKube):
    """An API server with a cluster and its autoscaler, which records patches."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        super().__init__()
        self.patched: list[dict[str, Any]] = []
        for kind, each in zip(("DaskAutoscaler", "DaskCluster"), objects, strict=False):
            self.put({**each, "kind": kind})

    async def patch(
        self,
        resource: ApiResource,
        name: str,
        changes: dict[str, Any],
        namespace: Any = None,
        **_: Any,
    ) -> dict[str, Any]:
        """Record a patch."""
        self.patched.append(changes["metadata"])
        return {}


def view(body: dict[str, Any]) -> AutoscalerView:
    """Return what an informer has of an autoscaler."""
    return parse_views.autoscaler(body)


async def test_only_the_finalizer_of_the_dask_operator_is_removed() -> None:
    """Other finalizers are kept, also those that are added meanwhile."""
    body = scaler(START, "mine", FINALIZER)
    kube: Any = Live(body)
    await free_autoscaler(kube, ObjectKey("ns", "c"), view(body))
    assert kube.patched == [{"uid": "u-c", "resourceVersion": "1", "finalizers": ["mine"]}]


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param([scaler(START, FINALIZER), thing_of("c", None)], id="its cluster lives"),
        pytest.param([scaler(None, FINALIZER)], id="it is not deleted"),
        pytest.param([{**scaler(START, FINALIZER), "other": True}], id="another one of its name"),
        pytest.param([], id="it is gone"),
    ],
)
async def test_live_state_protects_a_finalizer(objects: list[dict[str, Any]]) -> None:
    """What the API server has decides, whatever the informers show."""
    cached = view(scaler(START, FINALIZER))
    for each in objects:
        if each.pop("other", False):
            each["metadata"]["uid"] = "u-other"
    kube: Any = Live(*objects)
    await free_autoscaler(kube, ObjectKey("ns", "c"), cached)
    assert kube.patched == []


@pytest.mark.parametrize("lives", [False, True])
async def test_live_state_protects_a_worker_group(lives: bool) -> None:
    """A group whose cluster exists after all is not deleted."""
    kube: Any = Live(scaler(None), *([thing_of("c", None)] if lives else []))
    group = parse_views.worker_group(worker_group())
    await delete_orphan(kube, ObjectKey("ns", "c-default"), group)
    assert kube.deleted == ([] if lives else [("DaskWorkerGroup", "c-default")])


async def test_a_kind_that_is_not_served_protects_a_worker_group() -> None:
    """That clusters are not served for a moment does not mean that there are none."""
    kube: Any = Live(scaler(None))
    kube.fail("get DaskCluster", KindMissing("no such kind", 404))
    group = parse_views.worker_group(worker_group())
    with pytest.raises(KindMissing):
        await delete_orphan(kube, ObjectKey("ns", "c-default"), group)
    assert kube.deleted == []


@pytest.mark.parametrize("exists", [False, True])
async def test_autoscaler_of_a_deleted_workplan(exists: bool) -> None:
    """It is deleted at once, by its uid, unless the API server still has the WorkPlan."""
    kube: Any = Live(scaler(None))
    deleted = build.workplan()
    if exists:
        kube.put({"kind": "WorkPlan", "metadata": {"namespace": "ns", "name": "wp", "uid": "u-2"}})
    caches = state()
    labels = {"voxk8s.io/workplan": "wp"}
    caches.autoscalers.upsert({**scaler(None), **thing_of("c", None, labels=labels)})
    await delete_autoscalers(kube, caches, deleted)
    assert kube.deleted == ([] if exists else [("DaskAutoscaler", "c")])


def worker_group(**labels: str) -> dict[str, Any]:
    """Make a DaskWorkerGroup of the cluster `c`."""
    marks = {"app.kubernetes.io/managed-by": "voxk8s-operator", **labels}
    return {**thing_of("c-default", None, labels=marks), "spec": {"cluster": "c", "worker": {}}}


def listed(caches: ClusterState) -> None:
    """Complete the list of the clusters with those that are there."""
    names = [key.name for key, _ in caches.clusters.items()]
    spec = {"spec": {"worker": {"replicas": 1}}}
    caches.clusters.replace([{**thing_of(name, None), **spec} for name in names])


def test_worker_group_without_a_cluster() -> None:
    """A worker group without a cluster is orphaned, once the clusters are synced."""
    caches = state()
    caches.worker_groups.upsert(worker_group())
    assert not list(orphaned_worker_groups(caches, later(60)))
    listed(caches)
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
    listed(caches)
    caches.worker_groups.upsert(worker_group(**{"app.kubernetes.io/managed-by": managed_by}))
    assert not list(orphaned_worker_groups(caches, later(60)))
