"""Suspension: the cluster is given back, time stands still, and the run goes on from the store."""

from __future__ import annotations

from tests.unit.controller import scenes
from tests.unit.controller.decisions import (
    children,
    decided,
    states,
    written,
)
from tests.unit.controller.scenes import START, WORK, later
from voxk8s.api import Waiting
from voxk8s.controller.decide.actions import (
    Child,
    Delete,
    Forget,
    LookAgain,
    Resolve,
    WriteRun,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.resolve.resolution import Unresolved


def test_gives_the_cluster_back() -> None:
    """Suspending deletes cluster, autoscaler and runner and is in progress for kstatus."""
    observed = scenes.with_spec(scenes.running(autoscaler=None), suspend=True)
    assert children(observed) == (
        Delete(Child.CLUSTER, "c", "Suspended"),
        Delete(Child.RUNNER, "j", "Suspended"),
    )
    status = written(observed, later(7))
    assert states(status)["Ready"] == ("False", "Suspended")
    assert states(status)["Succeeded"][0] == "Unknown"
    assert states(status)["Reconciling"][0] == "True"
    assert (status.phase, status.suspend_time) == ("Suspended", later(7))
    assert Forget() in decided(observed)
    assert LookAgain(2.0) in decide(observed, START)


def test_before_the_start_does_nothing() -> None:
    """A WorkPlan that is applied suspended is accepted and left alone."""
    observed = scenes.fresh(workplan=scenes.workplan({"suspend": True}))
    assert not any(isinstance(a, Resolve) for a in decided(observed))
    assert decide(scenes.told(observed), later(99)) == ()


def test_resuming_starts_anew_from_the_store() -> None:
    """After a resume the plan is resolved again, and the suspended time is remembered."""
    observed = scenes.with_spec(scenes.told(scenes.fresh()), suspend=True)
    observed = scenes.with_spec(scenes.told(observed, later(10)), suspend=False)
    assert Resolve() in decided(observed, later(30))
    status = written(observed, later(30))
    assert (status.suspend_time, status.suspended_seconds) == (None, 20.0)


def test_does_not_count_against_deadlines() -> None:
    """The active deadline leaves suspended time out."""
    plan = scenes.workplan({"activeDeadlineSeconds": 15})
    observed = scenes.with_spec(scenes.told(scenes.fresh(workplan=plan)), suspend=True)
    observed = scenes.with_spec(scenes.told(observed, later(10)), suspend=False)
    observed = scenes.told(observed, later(1000))
    assert states(observed.workplan.status)["Succeeded"][0] == "Unknown"
    assert states(written(observed, later(1005)))["Stalled"] == ("True", "DeadlineExceeded")


def test_resets_counts_but_not_progress() -> None:
    """On resume, counts start from the store, while the progress text never goes down."""
    observed = scenes.replace(
        scenes.running(), runner=None, cluster=None, scheduler=None, pods=(), group=None
    )
    parts = [a.part for a in decided(observed) if isinstance(a, WriteRun)]
    assert [(p["operations"]["computed"], p["progress"]) for p in parts] == [(0, "5/12")]


def test_keeps_what_was_last_known_of_the_store() -> None:
    """Words of a runner that is gone neither stick nor turn into the opposite."""
    away = Waiting(reason="StoreUnreachable", message="away")
    observed = scenes.told(scenes.running(status={"waiting": away}), waiting=away)
    observed = scenes.with_spec(observed, suspend=True)
    observed = scenes.replace(
        observed, resolution=Unresolved(), runner=None, cluster=None, pods=(), scheduler=None
    )
    observed = scenes.told(observed, later(5), waiting=away)
    assert states(observed.workplan.status)["StoreReady"] == ("False", "StoreUnreachable")
    observed = scenes.with_spec(observed, suspend=False)
    observed = scenes.replace(observed, resolution=WORK)
    assert states(written(observed, later(9)))["StoreReady"] == ("True", "StoreConnected")
