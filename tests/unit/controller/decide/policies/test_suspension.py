"""Suspension: children are deleted, time stops, and the run resumes from the store."""

from __future__ import annotations

from typing import Any

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import (
    child_actions,
    decided_actions,
    states,
    written_status,
)
from tests.unit.controller.observed_builders import START, WORK_LEFT, later
from voxk8s.api.status import Waiting
from voxk8s.controller.decide.actions import (
    ChildKind,
    DeleteChild,
    ForgetPlan,
    RequeueAfter,
    ResolvePlan,
    WriteRunnerStatus,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Unresolved


def test_deletes_the_children() -> None:
    """Suspending deletes cluster and runner, and is in progress for kstatus."""
    observed = build.with_spec(build.running(autoscaler=None), suspend=True)
    assert child_actions(observed) == (
        DeleteChild(ChildKind.CLUSTER, "c", "u-c", "Suspended"),
        DeleteChild(ChildKind.RUNNER, "j", "u-j", "Suspended"),
    )
    status = written_status(observed, later(7))
    assert states(status)["Ready"] == ("False", "Suspended")
    assert states(status)["Succeeded"][0] == "Unknown"
    assert states(status)["Reconciling"][0] == "True"
    assert (status.phase, status.suspend_time) == ("Suspended", later(7))
    assert ForgetPlan() in decided_actions(observed)
    assert RequeueAfter(2.0) in decide(observed, START)


def suspended_run(**left: Any) -> Observed:
    """Make a run that was suspended and has nothing left but its access, and `left`."""
    observed = build.with_spec(build.running(), suspend=True)
    gone: dict[str, Any] = {"cluster": None, "autoscaler": None, "scheduler": None, "runner": None}
    gone |= {"worker_group": None, "workers": (), "pods": (), "resolution": Unresolved()}
    observed = build.replace(observed, **gone | {"access": build.access(), **left})
    return build.with_operator_status(observed, later(7), operations=build.COUNTS)


def test_access_is_not_kept() -> None:
    """`store` and `cluster` may be changed while it is suspended: accounts and policies go, too."""
    deletion = DeleteChild(ChildKind.ACCESS, "a", "u-a", "the run is suspended")
    assert decided_actions(suspended_run(), later(60)) == (deletion,)
    for left in ({"live_pods": (build.pod(),)}, {"runner": build.job(deleting=True)}):
        assert decided_actions(suspended_run(**left), later(60)) == ()
    assert RequeueAfter(10.0) in decide(suspended_run(live_pods=(build.pod(),)), later(60))


def test_a_run_resumes_with_access_of_its_own() -> None:
    """One that is resumed at once waits for the end of what the suspension began."""
    observed = build.with_spec(suspended_run(live_pods=(build.pod(),)), suspend=False)
    status = written_status(observed, later(8))
    assert (status.phase, states(status)["Reconciling"][0]) == ("Suspended", "True")
    assert "last pod" in str(status.message)
    assert not any(isinstance(a, ResolvePlan) for a in decided_actions(observed, later(8)))
    observed = build.replace(observed, live_pods=(), access=None)
    assert ResolvePlan() in decided_actions(observed, later(9))
    assert written_status(observed, later(9)).phase == "Resolving"


def test_nothing_is_created_before_the_status_is_not_suspended() -> None:
    """Access that exists while the status says Suspended would be deleted."""
    observed = build.with_spec(suspended_run(access=None), suspend=False)
    observed = build.replace(observed, resolution=WORK_LEFT)
    assert child_actions(observed, later(9)) == ()
    assert written_status(observed, later(9)).phase == "Starting"


def test_at_creation() -> None:
    """A WorkPlan that is created suspended is accepted, and nothing else is done."""
    observed = build.applied(workplan=build.workplan({"suspend": True}))
    assert not any(isinstance(a, ResolvePlan) for a in decided_actions(observed))
    assert decide(build.with_operator_status(observed), later(99)) == ()


def test_resuming_resolves_again() -> None:
    """After a resume the plan is resolved again, and the suspended time is recorded."""
    observed = build.with_spec(build.with_operator_status(build.applied()), suspend=True)
    observed = build.with_spec(build.with_operator_status(observed, later(10)), suspend=False)
    assert ResolvePlan() in decided_actions(observed, later(30))
    status = written_status(observed, later(30))
    assert (status.suspend_time, status.suspended_seconds) == (None, 20.0)


def test_does_not_count_against_deadlines() -> None:
    """The active deadline excludes suspended time."""
    plan = build.workplan({"activeDeadlineSeconds": 15})
    observed = build.with_spec(
        build.with_operator_status(build.applied(workplan=plan)), suspend=True
    )
    observed = build.with_spec(build.with_operator_status(observed, later(10)), suspend=False)
    observed = build.with_operator_status(observed, later(1000))
    assert states(observed.workplan.status)["Succeeded"][0] == "Unknown"
    assert states(written_status(observed, later(1005)))["Stalled"] == ("True", "DeadlineExceeded")


def test_resets_counts_but_not_progress() -> None:
    """On resume, counts start from the store, and progress does not decrease."""
    observed = build.replace(
        build.running(), runner=None, cluster=None, scheduler=None, pods=(), worker_group=None
    )
    parts = [a.part for a in decided_actions(observed) if isinstance(a, WriteRunnerStatus)]
    assert [(p["operations"]["computed"], p["progress"]) for p in parts] == [(0, "5/12")]


def test_keeps_the_last_state_of_the_store() -> None:
    """StoreReady of a runner that is gone is kept until the store is checked again."""
    away = Waiting(reason="StoreUnreachable", message="away")
    observed = build.with_operator_status(build.running(status={"waiting": away}), waiting=away)
    observed = build.with_spec(observed, suspend=True)
    observed = build.replace(
        observed, resolution=Unresolved(), runner=None, cluster=None, pods=(), scheduler=None
    )
    observed = build.with_operator_status(observed, later(5), waiting=away)
    assert states(observed.workplan.status)["StoreReady"] == ("False", "StoreUnreachable")
    observed = build.with_spec(observed, suspend=False)
    observed = build.replace(observed, resolution=WORK_LEFT)
    assert states(written_status(observed, later(9)))["StoreReady"] == ("True", "StoreConnected")
