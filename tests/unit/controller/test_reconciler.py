"""The reconciler over a scripted API server: children, status, events and failures."""

from __future__ import annotations

import asyncio
import copy
from contextlib import suppress
from typing import Any

import pytest

from tests.support import kstatus
from tests.support.waiting import until
from tests.unit.controller.observed_builders import later
from tests.unit.controller.scripted_operator import (
    FULLY_CACHED,
    KEY,
    ScriptedOperator,
)
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster.kube_client import ObjectList
from voxk8s.cluster.kube_errors import Conflict, Forbidden, KubeUnreachable, NotFound
from voxk8s.cluster.policy import Violation
from voxk8s.controller.act.children import Children
from voxk8s.controller.limits import Limits
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Resolved, Unresolved
from voxk8s.controller.work_queue import ObjectKey

KEY_OF_WORKPLAN = ("WorkPlan", "ns", "wp")


async def test_fully_cached_plan(operator: ScriptedOperator) -> None:
    """A fully cached plan takes two reconciliations and two writes, and no children.

    The first write is not needed while the WorkPlan is new.
    """
    operator.answers = [FULLY_CACHED]
    operator.user_applies()
    await operator.reconcile(2)
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")
    assert operator.workplan["status"]["results"][0]["value"] == 8
    assert operator.kube.created == []
    managers = [manager for manager, _ in operator.kube.applied]
    assert managers == ["voxk8s-operator", "voxk8s-operator"]
    await operator.reconcile(3)
    assert len(operator.kube.applied) == 2


async def test_api_server_down(operator: ScriptedOperator) -> None:
    """A failed write is retried from a new observation."""
    operator.user_applies()
    operator.kube.fail("apply", KubeUnreachable("away"))
    with pytest.raises(KubeUnreachable):
        await operator.reconcile()
    await operator.reconcile(2)
    assert operator.condition("StoreReady") == ("True", "StoreConnected")


async def test_deleted_workplan(operator: ScriptedOperator) -> None:
    """The state of a deleted WorkPlan is dropped; its children are left to Kubernetes."""
    operator.user_applies()
    await operator.reconcile(2)
    operator.state.workplans.delete(operator.workplan)
    await operator.reconcile()
    assert operator.kube.deleted == []
    assert operator.resolver._states == {}


async def test_deleted_during_a_live_read(
    operator: ScriptedOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A WorkPlan whose deletion is seen while it is read live keeps no place of the limits."""
    starts, kube, workplans = operator.reconciler.starts, operator.kube, operator.state.workplans
    starts.limits = Limits(clusters=1)
    starts.open()
    operator.user_applies()
    await operator.reconcile(3)
    assert starts._holding == {"u-1": "ns"}
    failed = {"state": "Failed", "reason": "OperationFailed", "message": "no"}
    operator.workplan["status"]["outcome"] = failed
    workplans.upsert(kube.put(operator.workplan))
    read = kube.list

    async def read_and_delete(*args: Any, **selectors: Any) -> ObjectList:
        if workplans.get(*KEY) is not None:
            workplans.delete(kube.objects.pop(("WorkPlan", "ns", "wp")))
        return await read(*args, **selectors)

    monkeypatch.setattr(kube, "list", read_and_delete)
    await operator.reconcile()
    assert workplans.get(*KEY) is None, "it was read live"
    assert (kube.deleted, starts._holding, operator.resolver._states) == ([], {}, {})


async def test_a_cluster_that_is_refused_keeps_nobody_waiting(operator: ScriptedOperator) -> None:
    """Its WorkPlan says why, leaves its place, and starts when there is one again."""
    starts, kube, state = operator.reconciler.starts, operator.kube, operator.state
    starts.limits = Limits(clusters=1)
    starts.open()
    kube.fail("create DaskCluster", Forbidden("exceeded quota", 403))
    operator.user_applies()
    await operator.reconcile(4)
    other = copy.deepcopy(operator.workplan) | {"status": {"observedGeneration": -1}}
    other["metadata"] |= {"name": "other", "uid": "u-2"}
    state.workplans.upsert(kube.put(other))
    for _ in range(4):
        await operator.reconciler.reconcile(ObjectKey("ns", "other"))
        await asyncio.gather(*operator.resolver._tasks.values())
    assert starts._holding == {"u-2": "ns"}
    operator.now = later(60)
    written = len(kube.applied)
    await operator.reconcile(3)
    assert kube.created.count("DaskCluster") == 1
    assert operator.condition("ClusterReady") == ("False", "PodRejected")
    assert (operator.workplan["status"]["phase"], len(kube.applied)) == ("Starting", written)
    while operator.queue._ready:
        operator.queue.done(await operator.queue.get())
    await operator.reconcile()
    assert operator.queue._due[KEY] - operator.seconds() > 1, "it is not looked at without end"
    kube.fail("create DaskCluster", Forbidden("exceeded quota", 403))
    state.workplans.delete(kube.objects.pop(("WorkPlan", "ns", "other")))
    await operator.reconcile()
    assert (kube.created.count("DaskCluster"), starts._holding) == (1, {})
    operator.now = later(90)
    await operator.reconcile()
    assert (kube.created.count("DaskCluster"), starts._holding) == (2, {"u-1": "ns"})


async def test_the_end_of_a_run_is_counted_once(operator: ScriptedOperator) -> None:
    """When it is written; neither again later, nor by an operator that finds it written."""
    operator.user_applies()
    await operator.reconcile(2)
    operator.workplan["status"]["outcome"] = {
        "state": "Succeeded",
        "reason": "AllGoalsReached",
        "store": {"hits": 4},
    }
    operator.state.workplans.upsert(operator.workplan)
    await operator.reconcile(3)
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")
    line = b'voxk8s_store_results_total{result="hits"}'
    assert line + b" 4.0" in operator.reconciler.metrics.text()
    operator.reconciler.counted.clear()
    await operator.reconcile()
    assert line + b" 4.0" in operator.reconciler.metrics.text()


async def test_no_state_of_a_retry_shows_a_wrong_end(operator: ScriptedOperator) -> None:
    """An operator that dies between its writes leaves a WorkPlan in progress, and goes on."""
    operator.user_applies()
    await operator.reconcile(2)
    failed = {"state": "Failed", "reason": "OperationFailed", "store": {"hits": 4}}
    results = [{"goal": "a", "kind": "print", "value": 1}]
    body = operator.workplan
    body["status"] |= {"outcome": failed, "results": results}
    operator.state.workplans.upsert(operator.kube.put(body))
    operator.kube.objects = {KEY_OF_WORKPLAN: operator.kube.objects[KEY_OF_WORKPLAN]}
    for informer in operator.state.informers:
        if informer is not operator.state.workplans:
            informer.replace([])
    await operator.reconcile(2)
    assert kstatus.read(operator.workplan) == "Failed"
    body = operator.workplan
    body["metadata"]["annotations"] = {"voxk8s.io/retry": "1"}
    operator.state.workplans.upsert(operator.kube.put(body))
    operator.reconciler.counted.clear()
    before = operator.reconciler.metrics.text()
    await operator.reconcile()
    assert (kstatus.read(operator.workplan), operator.workplan["status"]["results"]) == (
        "InProgress", results,
    )  # fmt: skip
    clearing = operator.state.workplans.get(*KEY)
    assert clearing is not None
    operator.reconciler._count_end(Observed(clearing))
    operator.kube.fail("apply WorkPlan", KubeUnreachable("away"))
    with pytest.raises(KubeUnreachable):
        await operator.reconcile()
    assert kstatus.read(operator.workplan) == "InProgress"
    assert {"outcome", "results", "completionTime"}.isdisjoint(operator.workplan["status"])
    assert operator.condition("Succeeded") == ("Unknown", "Retry")
    await operator.reconcile(3)
    assert operator.condition("Succeeded") == ("Unknown", "ClusterStarting")
    assert operator.workplan["status"]["retry"] == "1"
    assert operator.reconciler.metrics.text() == before


async def test_fault_of_the_operator_is_a_condition(
    operator: ScriptedOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error is in the status, and in the log, until a reconciliation succeeds."""
    operator.user_applies()
    await operator.reconcile()

    async def fail(*_: object) -> None:
        raise RuntimeError("unexpected")

    with monkeypatch.context() as patch:
        patch.setattr(Children, "create_access", fail)
        operator.queue.add(KEY)
        working = asyncio.create_task(operator.reconciler._worker())
        await until(lambda: operator.condition("ClusterReady")[1] == "InternalError")
        found = {c["type"]: c for c in operator.workplan["status"]["conditions"]}
        assert "RuntimeError: unexpected" in found["ClusterReady"]["message"]
        operator.queue.add(KEY)
        assert len(operator.queue) == 0, "it waits for its backoff"
        operator.queue.close()
        await working
    await operator.reconcile(2)
    assert operator.condition("ClusterReady")[1] == "ClusterStarting"


async def test_one_workplan_does_not_keep_a_leader_from_starting(
    operator: ScriptedOperator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that the operator fails on at its start is logged; the others are reconciled."""
    operator.user_applies()
    operator.user_applies(name="poison")

    def fail(_: Children, workplan: WorkPlanResource) -> tuple[Violation, ...]:
        if workplan.metadata.name == "poison":
            raise ArithmeticError("unexpected")
        return ()

    monkeypatch.setattr(Children, "not_allowed", fail)
    running = asyncio.create_task(operator.reconciler.run(1, 60))
    await until(lambda: running.done() or "conditions" in operator.workplan["status"])
    operator.queue.close()
    await running
    assert operator.condition("StoreReady")
    assert "WorkPlan ns/poison: it is not taken in" in caplog.text


async def ends(operator: ScriptedOperator) -> None:
    """Let a run end with success, and its children go."""
    done = {"state": "Succeeded", "reason": "AllGoalsReached", "message": "Done."}
    operator.workplan["status"]["outcome"] = done
    operator.state.workplans.upsert(operator.kube.put(operator.workplan))
    await operator.reconcile()
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")


async def test_a_runner_that_writes_all_the_time_holds_nothing_up(
    operator: ScriptedOperator,
) -> None:
    """Not even while the watch is silent: a decision is on what is there after the pause."""
    operator.user_applies()
    await operator.reconcile(3)
    operator.workplan["metadata"]["generation"] = 2
    operator.state.workplans.upsert(operator.kube.put(operator.workplan))
    reads = operator.kube.calls["get WorkPlan"]
    for _ in range(2):
        operator.workplan["status"]["progress"] = "1/3"
        operator.kube.put(operator.workplan)
        with suppress(Conflict):
            await operator.reconcile()
    assert operator.workplan["status"]["observedGeneration"] == 2
    assert operator.kube.calls["get WorkPlan"] == reads + 1


async def test_a_successor_of_the_same_name_begins_at_once(operator: ScriptedOperator) -> None:
    """Failures of a WorkPlan that is deleted, of which the watch reports nothing, are its own."""
    operator.user_applies()
    await operator.reconcile(2)
    operator.queue.done(await operator.queue.get())
    operator.queue.add_failed(KEY)
    assert len(operator.queue) == 0
    successor = copy.deepcopy(operator.workplan)
    successor["metadata"]["uid"] = "u-2"
    operator.state.workplans.upsert(operator.kube.put(successor))
    assert len(operator.queue) == 1


async def test_a_leader_that_sees_an_old_state_takes_no_end_back(
    operator: ScriptedOperator,
) -> None:
    """One that takes over with a watch that is behind finds the end before it writes anything."""
    operator.user_applies()
    await operator.reconcile(3)
    second = ScriptedOperator([], server=operator.kube)
    cluster = next(each for key, each in operator.kube.objects.items() if key[0] == "DaskCluster")
    await ends(operator)
    assert ("DaskCluster", cluster["metadata"]["name"]) in operator.kube.deleted
    second.state.clusters.delete(cluster)
    completion = operator.workplan["status"]["completionTime"]
    second.now = later(60)
    with suppress(Conflict):
        await second.reconcile()
    await second.reconcile(3)
    assert second.condition("Succeeded") == ("True", "AllGoalsReached")
    assert second.workplan["status"]["completionTime"] == completion
    await second.resolver.close()


async def test_a_leader_that_sees_an_old_state_creates_nothing(operator: ScriptedOperator) -> None:
    """One that takes over with a watch that is behind starts no runner of a suspended run."""
    operator.user_applies()
    await operator.reconcile(3)
    second = ScriptedOperator([], server=operator.kube)
    second.resolver._states["u-1"] = operator.resolver.state("u-1")
    job = next(each for key, each in operator.kube.objects.items() if key[0] == "Job")
    operator.workplan["spec"]["suspend"] = True
    operator.state.workplans.upsert(operator.kube.put(operator.workplan))
    await operator.reconcile()
    assert ("Job", job["metadata"]["name"]) in operator.kube.deleted
    second.state.jobs.delete(job)
    operator.kube.created.clear()
    await second.reconcile(3)
    assert operator.kube.created == []
    assert second.workplan["status"]["phase"] == "Suspended"
    await second.resolver.close()


async def test_a_spec_that_changes_is_looked_up_again(operator: ScriptedOperator) -> None:
    """What is known in a store says nothing about another one; the priority changes nothing."""
    operator.user_applies()
    await operator.reconcile()

    def change(**spec: Any) -> None:
        operator.workplan["spec"] |= spec
        operator.state.workplans.upsert(operator.kube.put(operator.workplan))

    change(priority=3)
    workplan = operator.state.workplans.get(*KEY)
    assert workplan is not None
    assert operator.reconciler._observe(workplan, operator.state).resolution == Resolved(threads=3)
    change(store={"url": "s3://other"})
    workplan = operator.state.workplans.get(*KEY)
    assert workplan is not None
    assert operator.reconciler._observe(workplan, operator.state).resolution == Unresolved()


async def test_what_has_just_gone_is_looked_at_again(
    operator: ScriptedOperator, caplog: pytest.LogCaptureFixture
) -> None:
    """A write to an object that was deleted a moment ago is no fault of the operator."""
    operator.user_applies()
    await operator.reconcile(2)
    gone = NotFound('daskautoscalers "a" not found', 404)
    operator.workplan["spec"]["suspend"] = True
    operator.state.workplans.upsert(operator.kube.put(operator.workplan))
    operator.kube.fail("apply WorkPlan", gone)
    operator.queue.add(KEY)
    working = asyncio.create_task(operator.reconciler._worker())
    await until(lambda: operator.queue.failures(KEY) == 1)
    operator.queue.close()
    await working
    assert "Traceback" not in caplog.text
    reasons = {each["reason"] for each in operator.workplan["status"]["conditions"]}
    assert "InternalError" not in reasons
    await operator.reconcile()
    assert operator.workplan["status"]["phase"] == "Suspended"


async def test_a_workplan_of_another_controller_is_left_alone(operator: ScriptedOperator) -> None:
    """No status, no child, no end counted, and no keys of the store for its namespace."""
    wanted: list[str] = []

    class Credentials:
        def want(self, namespace: str) -> None:
            wanted.append(namespace)

    credentials: Any = Credentials()
    operator.children.access.credentials = credentials
    operator.user_applies(managedBy="example.org/dispatcher")
    operator.workplan["status"]["outcome"] = {"state": "Succeeded", "reason": "AllGoalsReached"}
    operator.state.workplans.upsert(operator.kube.put(operator.workplan))
    await operator.reconcile(3)
    assert (wanted, operator.kube.applied, operator.kube.created) == ([], [], [])
    assert operator.reconciler.counted == set()
