"""Writing the status, and what happens if the API server rejects it."""

from __future__ import annotations

from tests.unit.controller.observed_builders import later
from tests.unit.controller.scripted_operator import FULLY_CACHED, KEY, ScriptedOperator
from voxk8s.cluster.kube_errors import Invalid


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
