"""The informers of all kinds together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.support.waiting import until
from tests.unit.controller.observe.kube_objects import meta
from voxk8s.cluster.child_names import label_value
from voxk8s.cluster.resources import EVENTS, WORK_PLANS
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.work_queue import ObjectKey

LONG_NAME = "a-name-of-more-than-sixty-three-characters-as-kubernetes-allows-for-objects"


def workplan(name: str) -> dict[str, Any]:
    """Make a WorkPlan."""
    return {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "metadata": {"name": name, "namespace": "ns", "uid": "u-1", "generation": 1},
        "spec": {"source": {"plan": {"nodes": [], "goals": []}}},
    }


@pytest.mark.parametrize("name", ["wp", LONG_NAME])
def test_child_enqueues_its_workplan(name: str) -> None:
    """A change of a child enqueues its WorkPlan, even if the label is truncated."""
    enqueued: list[ObjectKey] = []
    state = ClusterState(enqueued.append, lambda _: None)
    state.workplans.upsert(workplan(name))
    enqueued.clear()
    labels = {"voxk8s.io/workplan": label_value(name)}
    state.clusters.upsert({"metadata": meta(labels=labels), "spec": {}})
    assert enqueued == [ObjectKey("ns", name)]


def test_deleted_workplan_is_reported() -> None:
    """The last state of a deleted WorkPlan is passed on."""
    deleted: list[str] = []
    state = ClusterState(lambda _: None, lambda plan: deleted.append(plan.metadata.uid))
    state.workplans.upsert(workplan("wp"))
    assert state.workplan_keys() == [ObjectKey("ns", "wp")]
    state.workplans.delete(workplan("wp"))
    assert (deleted, state.workplan_keys()) == (["u-1"], [])


async def test_everything_but_events_has_to_be_listed() -> None:
    """A namespace is synced with its last kind; events, which only explain, do not count."""
    state = ClusterState(lambda _: None, lambda _: None)
    required = [each for each in state.informers if each.resource != EVENTS]
    for informer in required:
        informer.follow(["a", "b"])
    for informer in required[:-1]:
        informer.replace([], "a")
    assert "cannot list serviceaccounts in namespace a: not listed yet" in state.sync_error("a")
    required[-1].replace([], "a")
    assert (state.sync_error("a"), state.synced) == ("", False)
    assert "namespace b" in state.sync_error()
    await asyncio.wait_for(state.wait_for_sync(0.001), 5)
    for informer in required:
        informer.replace([], "b")
    assert state.synced
    await asyncio.wait_for(state.wait_for_sync(3600), 5)


def test_workplans_are_queued_when_their_namespace_is_synced() -> None:
    """Those that were seen before wait for the last list of their namespace."""
    enqueued: list[ObjectKey] = []
    state = ClusterState(enqueued.append, lambda _: None)
    state.workplans.replace([workplan("wp")], "ns")
    others = [i for i in state.informers if i.resource not in (WORK_PLANS, EVENTS)]
    for informer in others:
        informer.follow(["ns"])
    enqueued.clear()
    for informer in others:
        assert enqueued == []
        informer.replace([], "ns")
    assert enqueued == [ObjectKey("ns", "wp")]


async def test_run_syncs_all_informers() -> None:
    """A running state has the objects of the API server."""
    scripted = ScriptedKube()
    scripted.put(workplan("wp"))
    kube: Any = scripted
    state = ClusterState(lambda _: None, lambda _: None)
    running = asyncio.create_task(state.run(kube, (), lambda: 1.0))
    await until(lambda: all(informer.synced for informer in state.informers))
    assert state.workplan_keys() == [ObjectKey("ns", "wp")]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
