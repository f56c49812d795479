"""Time to live of finished WorkPlans."""

from __future__ import annotations

import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import FULLY_CACHED, later
from voxk8s.controller.decide.actions import (
    DeleteWorkPlan,
    ForgetPlan,
    RequeueAfter,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.resolve.resolution_state import Unresolved


@pytest.mark.parametrize("ttl", [20, {"succeeded": 20, "failed": 500}])
def test_deletes_a_finished_workplan(ttl: object) -> None:
    """A finished WorkPlan is deleted at the end of its time to live, not before."""
    plan = build.workplan({"ttlSecondsAfterFinished": ttl})
    observed = build.with_operator_status(build.applied(workplan=plan, resolution=FULLY_CACHED))
    assert decide(observed, later(19)) == (ForgetPlan(), RequeueAfter(1.0))
    assert DeleteWorkPlan() in decide(observed, later(20))


def test_default_keeps_the_workplan() -> None:
    """Without a time to live a finished WorkPlan is kept."""
    observed = build.with_operator_status(build.applied(resolution=FULLY_CACHED))
    observed = build.replace(observed, resolution=Unresolved())
    assert decide(observed, later(1e9)) == ()
