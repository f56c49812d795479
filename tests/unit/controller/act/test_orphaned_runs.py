"""Clusters and runners whose WorkPlan was deleted without them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.support.waiting import until
from tests.unit.controller.observed_builders import later
from voxk8s.cluster.child_names import label_value
from voxk8s.controller.act.orphaned_runs import delete_orphaned, orphaned_children
from voxk8s.controller.act.orphans import cleanup_orphans
from voxk8s.controller.observe.cluster_state import ClusterState

CREATED = "2026-05-04T12:00:00Z"
OWNER: dict[str, Any] = {"ownerReferences": [{"kind": "WorkPlan", "uid": "u-wp", "name": "wp"}]}
LONG = "x" * 80


def child(kind: str, plan: str = "wp", manager: str = "voxk8s-operator", **more: Any) -> Any:
    """Make a child of a WorkPlan that has no owner."""
    labels = {"voxk8s.io/workplan": label_value(plan), "app.kubernetes.io/managed-by": manager}
    metadata = {
        "namespace": "ns", "name": "c", "uid": f"u-{kind}", "creationTimestamp": CREATED,
        "labels": labels, **more,
    }  # fmt: skip
    spec = {"cluster": "c", "template": {"spec": {}}}
    return {"kind": kind, "metadata": metadata, "spec": spec}


def workplan(name: str = "wp", created: str = CREATED) -> dict[str, Any]:
    """Make a WorkPlan."""
    metadata = {"namespace": "ns", "name": name, "uid": "u-wp", "creationTimestamp": created}
    return {"kind": "WorkPlan", "metadata": metadata, "spec": {"source": {"program": "x"}}}


def cached(*bodies: dict[str, Any]) -> ClusterState:
    """Make informers that have listed these objects."""
    state = ClusterState(lambda _: None, lambda _: None)
    for informer in state.informers:
        informer.replace([body for body in bodies if body["kind"] == informer.resource.kind])
    return state


def candidates(*bodies: dict[str, Any], age: float = 60) -> list[str]:
    """Return the kinds that the informers show as orphaned."""
    return [each.resource.kind for each in orphaned_children(cached(*bodies), later(age))]


async def deleted(seen: Any, *live: Any, age: float = 60) -> list[str]:
    """Return the kinds that are deleted if the API server has `live`."""
    kube: Any = ScriptedKube()
    for body in live:
        kube.put(body)
    for orphan in orphaned_children(cached(seen), later(age)):
        await delete_orphaned(kube, orphan, later(age))
    assert not kube.calls["get Job"], "the operator has no permission"
    return [kind for kind, _ in kube.deleted]


def test_clusters_and_runners_are_found() -> None:
    """Both are, a moment after they were created, if no list has their WorkPlan."""
    both = child("DaskCluster"), child("Job")
    assert candidates(*both) == ["Job", "DaskCluster"]
    assert candidates(*both, age=5) == []
    unlisted = ClusterState(lambda _: None, lambda _: None)
    unlisted.clusters.upsert(both[0])
    assert not list(orphaned_children(unlisted, later(60)))


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param([child("DaskCluster", **OWNER)], id="it has an owner"),
        pytest.param([child("Job", manager="someone")], id="of someone else"),
        pytest.param([child("Job", deletionTimestamp=CREATED)], id="it goes already"),
        pytest.param([child("DaskCluster"), workplan()], id="its WorkPlan exists"),
    ],
)
def test_what_is_not_orphaned(bodies: list[Any]) -> None:
    """Children in use, or of others, are left alone."""
    assert candidates(*bodies) == []


async def test_orphans_are_deleted() -> None:
    """Runner and cluster go, also if a WorkPlan took the name since; the autoscaler goes first."""
    successor = workplan(created="2026-05-04T12:00:30Z")
    assert await deleted(child("Job"), child("Job")) == ["Job"]
    cluster, scaler = child("DaskCluster"), child("DaskAutoscaler")
    assert await deleted(cluster, cluster, successor) == ["DaskCluster"]
    assert await deleted(cluster, cluster, scaler) == ["DaskAutoscaler"]
    going = child("DaskAutoscaler", deletionTimestamp="2026-05-04T12:00:57Z")
    assert await deleted(cluster, cluster, going) == []
    assert await deleted(cluster, cluster, going, age=63) == ["DaskCluster"]


@pytest.mark.parametrize(
    ("plan", "live"),
    [
        pytest.param("wp", [child("DaskCluster"), workplan()], id="its WorkPlan exists"),
        pytest.param(LONG, [child("DaskCluster", LONG), workplan(LONG)], id="of a long name"),
        pytest.param("wp", [child("DaskCluster", **OWNER)], id="it has an owner"),
        pytest.param("wp", [child("DaskCluster", uid="u-2")], id="another one of its name"),
        pytest.param("wp", [], id="it is gone"),
    ],
)
async def test_live_state_protects(plan: str, live: list[Any]) -> None:
    """What the API server has decides, whatever the informers show."""
    assert await deleted(child("DaskCluster", plan), *live) == []


async def test_they_are_looked_for_while_the_operator_leads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The loop that cleans up deletes them."""
    monkeypatch.setattr("voxk8s.controller.act.orphans._INTERVAL", 0.0)
    kube: Any = ScriptedKube()
    seen = cached(kube.put(child("Job")))
    task = asyncio.create_task(cleanup_orphans(kube, seen, lambda: later(60)))
    await until(lambda: bool(kube.deleted))
    task.cancel()
    assert kube.deleted[0] == ("Job", "c")
