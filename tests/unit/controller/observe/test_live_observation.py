"""What is read from the API server before something is ended or deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controller.observed_builders import later
from tests.unit.controller.scripted_operator import ScriptedOperator
from voxk8s.cluster.kube_errors import KindMissing, KubeUnreachable, Overloaded
from voxk8s.controller.observe.live_observation import read_live


async def started(operator: ScriptedOperator) -> Any:
    """Start a run, and return its WorkPlan as the informer has it."""
    operator.user_applies()
    await operator.reconcile(2)
    found = operator.state.workplans.get("ns", "wp")
    assert found is not None
    return found


async def test_live_state_has_what_the_informers_lack(operator: ScriptedOperator) -> None:
    """Children that the informers do not show yet are there."""
    workplan = await started(operator)
    operator.state.clusters.replace([])
    kube: Any = operator.kube
    live = await read_live(kube, workplan, operator.state)
    assert live is not None
    assert len(live.clusters.items()) == 1
    assert live.sync_error("ns") == ""


async def test_successor_of_the_same_name(operator: ScriptedOperator) -> None:
    """A WorkPlan with another uid is not the one that was asked for."""
    workplan = await started(operator)
    operator.workplan["metadata"]["uid"] = "u-2"
    kube: Any = operator.kube
    assert await read_live(kube, workplan, operator.state) is None


async def test_some_kinds_of_dask_are_not_served(operator: ScriptedOperator) -> None:
    """An API server that just starts is not believed; without dask-kubernetes there is nothing."""
    workplan = await started(operator)
    kube: Any = operator.kube
    kube.fail("list DaskWorkerGroup", KindMissing("no", 404))
    with pytest.raises(KubeUnreachable, match="only some kinds"):
        await read_live(kube, workplan, operator.state)
    for kind in ("DaskCluster", "DaskWorkerGroup", "DaskAutoscaler"):
        kube.fail(f"list {kind}", KindMissing("no", 404))
    live = await read_live(kube, workplan, operator.state)
    assert live is not None
    assert live.clusters.items() == []


async def test_stale_informers_end_and_delete_nothing(operator: ScriptedOperator) -> None:
    """A runner that seems to have exited in silence has reported its outcome: the run succeeded."""
    workplan = await started(operator)
    jobs = [body for (kind, _, _), body in operator.kube.objects.items() if kind == "Job"]
    end = {"type": "Complete", "status": "True", "lastTransitionTime": "2026-05-04T12:00:05Z"}
    jobs[0]["status"] = {"conditions": [end]}
    operator.state.jobs.upsert(operator.kube.put(jobs[0]))
    outcome = {"state": "Succeeded", "reason": "AllGoalsReached", "message": "all"}
    operator.workplan["status"]["outcome"] = outcome  # The watch has not told yet.
    assert operator.state.workplans.get("ns", "wp") == workplan
    operator.now = later(60)
    await operator.reconcile()
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")
    assert operator.condition("Stalled")[0] == "False"


async def test_without_a_live_answer_nothing_is_deleted(operator: ScriptedOperator) -> None:
    """If the API server does not confirm it, a deletion has to wait."""
    await started(operator)
    body = operator.workplan
    body["spec"]["suspend"] = True
    operator.state.workplans.upsert(operator.kube.put(body))
    operator.kube.fail("list DaskCluster", Overloaded("too many requests", 429))
    with pytest.raises(Overloaded):
        await operator.reconcile()
    assert operator.kube.deleted == []
    await operator.reconcile()
    assert [kind for kind, _ in operator.kube.deleted] == ["DaskCluster", "Job"]
