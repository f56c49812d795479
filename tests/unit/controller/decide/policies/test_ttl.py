"""Time to live of finished WorkPlans."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import run_outcome
from tests.unit.controller.observed_builders import FULLY_CACHED, later
from voxk8s.api.status import Outcome
from voxk8s.controller.decide.actions import (
    DeleteWorkPlan,
    ForgetPlan,
    RequeueAfter,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.observe.observed import Observed
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


def ended(spec: dict[str, Any], outcome: Outcome, **left: Any) -> Observed:
    """Make a run that has ended at `later(2)`, of which nothing is left but `left`."""
    parts = {"outcome": outcome, "operations": build.COUNTS}
    observed = build.running(workplan=build.workplan(spec), status=parts)
    gone: dict[str, Any] = {"cluster": None, "autoscaler": None, "scheduler": None, "pods": ()}
    gone |= {"worker_group": None, "workers": (), "resolution": Unresolved()}
    gone["runner"] = build.job(complete=True, ended=later(1))
    observed = build.replace(observed, **gone | left)
    return build.with_operator_status(observed, later(2), **parts)


@pytest.mark.parametrize(
    "left",
    [
        {"live_pods": (build.pod(),)},
        {"cluster": build.cluster()},
        {"extra_clusters": (build.cluster(deleting=later(1)),)},
        {"autoscaler": build.autoscaler()},
        {"access": build.access(deleting=True)},
        {"runner": build.job()},
    ],
    ids=lambda left: next(iter(left)),
)
def test_what_is_alive_keeps_the_workplan(left: dict[str, Any]) -> None:
    """Its policies would be deleted before its pods have ended; for ten minutes it waits."""
    spec = {"ttlSecondsAfterFinished": 0}
    assert DeleteWorkPlan() in decide(ended(spec, run_outcome()), later(2))
    observed = ended(spec, run_outcome(), **left)
    assert DeleteWorkPlan() not in decide(observed, later(601))
    assert any(isinstance(action, RequeueAfter) for action in decide(observed, later(601)))
    assert DeleteWorkPlan() in decide(observed, later(602))


def test_a_kept_cluster_keeps_the_workplan() -> None:
    """What `keepOnFailureSeconds` promises holds, and its deletion has ten minutes of its own."""
    spec = {"ttlSecondsAfterFinished": 60, "cluster": {"keepOnFailureSeconds": 3600}}
    failure = run_outcome("Failed", "OperationFailed", message="no")
    observed = ended(spec, failure, cluster=build.cluster())
    assert DeleteWorkPlan() not in decide(observed, later(62))
    assert DeleteWorkPlan() not in decide(observed, later(4201))
    assert DeleteWorkPlan() in decide(observed, later(4202))
    assert DeleteWorkPlan() in decide(ended(spec, failure), later(62))
