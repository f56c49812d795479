"""Actions as they are carried out."""

from __future__ import annotations

import pytest

from tests.unit.controller.observed_builders import later
from tests.unit.controller.scripted_operator import (
    FULLY_CACHED,
    KEY,
    ScriptedOperator,
)
from voxk8s.cluster.kube_errors import Conflict, Forbidden
from voxk8s.controller.decide.actions import (
    CreateAccess,
    CreateCluster,
    CreateRunner,
    DeleteWorkPlan,
    WriteOperatorStatus,
)
from voxk8s.controller.observe.observed import Observed


async def test_two_managers_keep_their_fields(operator: ScriptedOperator) -> None:
    """Fields of the runner are kept when the operator writes."""
    operator.user_applies()
    await operator.reconcile(2)
    body = operator.workplan
    body["status"] |= {"progress": "1/3"}
    operator.state.workplans.upsert(operator.kube.put(body))
    operator.user_applies(suspend=True)
    operator.state.workplans.upsert(
        operator.kube.put(operator.workplan | {"status": body["status"]})
    )
    await operator.reconcile()
    assert operator.workplan["status"]["progress"] == "1/3"
    assert operator.workplan["status"]["phase"] == "Suspended"


async def test_events(operator: ScriptedOperator) -> None:
    """Transitions are emitted as events about the WorkPlan."""
    operator.answers = [FULLY_CACHED]
    operator.user_applies()
    await operator.reconcile(2)
    await operator.recorder.flush()
    assert [e["reason"] for e in operator.kube.events] == ["AllGoalsReached"]
    about = operator.kube.events[0]["involvedObject"]
    assert (about["kind"], about["name"], about["uid"]) == ("WorkPlan", "wp", "u-1")


async def test_status_of_a_recreated_workplan(operator: ScriptedOperator) -> None:
    """The status of a deleted WorkPlan is not written to a new one of the same name."""
    operator.user_applies()
    workplan = operator.state.workplans.get(*KEY)
    assert workplan is not None
    operator.workplan["metadata"]["uid"] = "u-2"
    part = WriteOperatorStatus({"phase": "Running"})
    with pytest.raises(Conflict):
        await operator.executor.execute(Observed(workplan), (part,), requeue=lambda: None)
    assert "phase" not in operator.workplan["status"]


async def test_rejection_does_not_stop_later_actions(operator: ScriptedOperator) -> None:
    """A rejected child is tried again after its backoff; the others are created at once."""
    operator.user_applies()
    workplan = operator.state.workplans.get(*KEY)
    assert workplan is not None
    operator.kube.fail("create DaskCluster", Forbidden("no", 403))
    actions = (CreateAccess(), CreateCluster(1), CreateRunner())
    observed = Observed(workplan)
    await operator.executor.execute(observed, actions, requeue=lambda: None)
    assert operator.kube.created[-1] == "Job"
    assert operator.executor.retry_in("u-1") == 1.0
    await operator.executor.execute(observed, actions, requeue=lambda: None)
    assert operator.kube.created[-1] == "Job"
    operator.now = later(1)
    await operator.executor.execute(observed, actions, requeue=lambda: None)
    assert operator.kube.created[-2:] == ["Job", "DaskCluster"]
    assert operator.executor.retry_in("u-1") is None


async def test_delete_workplan(operator: ScriptedOperator) -> None:
    """A WorkPlan is deleted by its name."""
    operator.user_applies()
    workplan = operator.state.workplans.get(*KEY)
    assert workplan is not None
    await operator.executor.execute(Observed(workplan), (DeleteWorkPlan(),), requeue=lambda: None)
    assert operator.kube.deleted == [("WorkPlan", "wp")]
