"""Writing the status, and what happens if the API server rejects it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.unit.controller.observed_builders import later
from tests.unit.controller.scripted_operator import FULLY_CACHED, KEY, ScriptedOperator
from voxk8s.cluster.kube_errors import Conflict, Invalid, KubeUnreachable
from voxk8s.constants import MANAGER_OPERATOR, MANAGER_RUNNER
from voxk8s.controller.act.status_writer import SETTLE_SECONDS
from voxk8s.controller.decide.actions import DeferStatus
from voxk8s.controller.observe.observed import Observed


async def test_rejected_status_becomes_a_condition(operator: ScriptedOperator) -> None:
    """What the API server says is reported, the end is not, and the write is tried again."""
    operator.answers = [FULLY_CACHED]
    operator.user_applies()
    await operator.reconcile()
    operator.kube.fail("apply", Invalid("status.results[0].goal: Too long", 422))
    await operator.reconcile()
    assert operator.condition("Succeeded")[0] == "Unknown"
    await operator.reconcile()
    assert operator.condition("Ready") == ("False", "StatusRejected")
    assert "goal: Too long" in operator.workplan["status"]["message"]
    writes = operator.kube.calls["apply"]
    await operator.reconcile(5)
    assert operator.kube.calls["apply"] == writes, "it waits"
    operator.now = later(2)
    await operator.reconcile(2)
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")
    assert operator.status.retry_in("u-1") is None


async def test_rejection_of_the_report_itself(operator: ScriptedOperator) -> None:
    """If even the report is rejected, it is tried again at growing intervals."""
    operator.user_applies()
    operator.kube.fail("apply", *[Invalid("status: no", 422)] * 1000)
    for second in range(600):
        operator.now = later(second / 10)
        await operator.reconcile()
    assert operator.kube.calls["apply"] < 20
    assert KEY not in operator.queue._not_before
    await operator.recorder.flush()
    told = [(each["reason"], each["message"]) for each in operator.kube.events]
    assert told == [("StatusRejected", "The API server rejected the status: status: no")]


async def test_changes_wait_longer_the_larger_the_object(operator: ScriptedOperator) -> None:
    """Changes that are not urgent wait from the first one on, and then are written at once."""
    operator.user_applies(source={"program": "x" * 2**20})
    await operator.reconcile()
    writer = operator.status
    assert 18 < writer.wait("u-1") < 21
    writer.defer("u-1")
    operator.now = later(5)
    writer.defer("u-1")
    assert 13 < writer.wait("u-1") < 16
    operator.now = later(21)
    assert writer.wait("u-1") <= 0
    workplan = operator.state.workplans.get(*KEY)
    assert workplan is not None
    await writer.write(workplan, {"observedGeneration": 1}, "voxk8s-operator")
    assert writer.wait("u-1") > 18
    assert 0 < writer.wait("another") < 5


async def test_changes_are_written_however_rarely_they_are_looked_at(
    operator: ScriptedOperator,
) -> None:
    """A change that waits is due at the next look, not only if that comes soon."""
    writer = operator.status
    writer.defer("u-1")
    operator.now = later(60)
    assert writer.wait("u-1") <= 0
    operator.user_applies()
    workplan = operator.state.workplans.get(*KEY)
    assert workplan is not None
    undone = Observed(workplan)
    await operator.executor.execute(undone, (DeferStatus(),), requeue=lambda: None)
    assert writer.wait("u-1") <= 0
    await operator.executor.execute(undone, (), requeue=lambda: None)
    assert writer.wait("u-1") == SETTLE_SECONDS


@pytest.mark.parametrize(
    ("part", "manager"),
    [({"progress": "1/3"}, MANAGER_RUNNER), ({"phase": "Running"}, MANAGER_OPERATOR)],
)
async def test_a_write_is_for_the_version_that_it_was_decided_for(
    operator: ScriptedOperator, part: dict[str, Any], manager: str
) -> None:
    """Neither a runner's last words nor what a later leader wrote is replaced.

    What an operator has sent before its end may arrive long after it.
    """
    operator.user_applies()
    await operator.reconcile()
    seen = operator.state.workplans.get("ns", "wp")
    assert seen is not None
    old = msgspec.structs.replace(
        seen, metadata=msgspec.structs.replace(seen.metadata, resource_version="0")
    )
    with pytest.raises(Conflict):
        await operator.status.write(old, part, manager)
    assert await operator.status.write(seen, part, manager)


async def test_the_runners_part_is_removed_of_the_version_that_was_seen(
    operator: ScriptedOperator,
) -> None:
    """A later run may have begun since then: its progress stays."""
    operator.user_applies()
    await operator.reconcile()
    seen = operator.state.workplans.get("ns", "wp")
    assert seen is not None
    assert await operator.status.write(seen, {"progress": "2/3"}, MANAGER_RUNNER)
    later_one = operator.state.workplans.get("ns", "wp")
    assert later_one is not None
    operator.status.forget("u-1")
    with pytest.raises(Conflict):
        await operator.status.remove_runner_part(seen)
    assert operator.workplan["status"]["progress"] == "2/3"
    await operator.status.remove_runner_part(later_one)
    assert "progress" not in operator.workplan["status"]


async def test_no_write_undoes_one_whose_answer_was_lost(operator: ScriptedOperator) -> None:
    """What the informer has is then older than what the operator has written itself."""
    operator.user_applies()
    await operator.reconcile()
    seen = operator.state.workplans.get("ns", "wp")
    assert seen is not None
    kube: Any = operator.kube
    plain = kube.apply

    async def apply(*args: Any, **more: Any) -> Any:
        await plain(*args, **more)
        raise KubeUnreachable("no answer", 504)

    kube.apply = apply
    with pytest.raises(KubeUnreachable):
        await operator.status.write(seen, {"phase": "Succeeded"}, MANAGER_OPERATOR)
    kube.apply = plain
    with pytest.raises(Conflict):
        await operator.status.write(seen, {"phase": "Running"}, MANAGER_OPERATOR)
    await operator.status.catch_up(seen)
    now = operator.state.workplans.get("ns", "wp")
    assert now is not None
    assert now.status.phase == "Succeeded"
    assert await operator.status.write(now, {"phase": "Running"}, MANAGER_OPERATOR)


async def test_a_run_begins_with_the_spec_that_is_there(operator: ScriptedOperator) -> None:
    """A change that comes before the write that ends a suspension is seen before it is made."""
    operator.user_applies(suspend=True)
    await operator.reconcile(2)
    seen = operator.state.workplans.get("ns", "wp")
    assert seen is not None
    operator.workplan["spec"] |= {"suspend": False, "store": {"url": "s3://other"}}
    operator.kube.put(operator.workplan)
    with pytest.raises(Conflict):
        await operator.status.write(seen, {"phase": "Resolving"}, MANAGER_OPERATOR)
    await operator.status.catch_up(seen)
    now = operator.state.workplans.get("ns", "wp")
    assert now is not None
    assert now.spec.store is not None
    reads = operator.kube.calls["get WorkPlan"]
    assert await operator.status.write(now, {"progress": "1/3"}, MANAGER_RUNNER)
    assert await operator.status.write(now, {"phase": "Resolving"}, MANAGER_OPERATOR)
    assert operator.kube.calls["get WorkPlan"] == reads, "two writes of a decision are one after it"


async def test_a_change_that_met_a_conflict_does_not_wait_once_more(
    operator: ScriptedOperator,
) -> None:
    """It is written at the next attempt: a runner may write as often as changes are due."""
    operator.user_applies()
    await operator.reconcile(3)
    assert "runner" not in operator.workplan["status"], "it waits"
    operator.now = later(5)
    operator.kube.fail("apply WorkPlan", Conflict("modified", 409))
    with pytest.raises(Conflict):
        await operator.reconcile()
    await operator.reconcile()
    assert "runner" in operator.workplan["status"]
