"""Deadlines: what ends a run that does not start or does not end, and what counts as a start."""

from __future__ import annotations

import msgspec

from tests.unit.controller import scenes
from tests.unit.controller.decisions import (
    children,
    states,
    written,
)
from tests.unit.controller.scenes import START, later
from voxk8s.api import Waiting
from voxk8s.controller.decide.actions import (
    Child,
    Delete,
    LookAgain,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.resolve.resolution import Blocked


def test_active() -> None:
    """A run beyond its active deadline fails, and all its pods go."""
    plan = scenes.workplan({"activeDeadlineSeconds": 60})
    observed = scenes.running(workplan=plan, autoscaler=scenes.scaler(0, deleting=START))
    assert not children(observed, later(59))
    assert states(written(observed, later(60)))["Stalled"] == ("True", "DeadlineExceeded")
    assert {a.child for a in children(observed, later(60)) if isinstance(a, Delete)} == {
        Child.CLUSTER, Child.RUNNER,
    }  # fmt: skip


def test_start_ends_a_run_whose_runner_is_refused() -> None:
    """Workers that wait for a runner without a pod have not started anything."""
    plan = scenes.workplan({"startDeadlineSeconds": 30})
    alone = scenes.job(attempts=0, active=0)
    parts = {"operations": scenes.COUNTS}
    observed = scenes.running(
        workplan=plan, status=parts, runner=alone, pod_refusal="exceeded quota: q"
    )
    found = written(observed, later(30))
    assert states(found)["Stalled"] == ("True", "StartDeadlineExceeded")
    assert (found.message or "").startswith("The run had not begun after 30 s")
    assert (found.message or "").endswith("exceeded quota: q")


def test_start_names_what_was_missing() -> None:
    """A start deadline tells what kept the workers; the reason of ClusterReady stays."""
    plan = scenes.workplan({"startDeadlineSeconds": 30})
    bad = scenes.pod(ready=False, troubles=(scenes.trouble("ImagePullFailed", "no img:1"),))
    starting = scenes.scheduler(available=0)
    observed = scenes.running(workplan=plan, pods=(bad,), scheduler=starting)
    observed = scenes.with_status(
        observed,
        msgspec.structs.replace(observed.workplan.status, workers_ready_time=None),
    )
    observed = scenes.told(observed, later(5))
    assert states(observed.workplan.status)["ClusterReady"] == ("False", "ImagePullFailed")
    status = written(observed, later(31))
    assert states(status)["Succeeded"] == ("False", "StartDeadlineExceeded")
    assert "no img:1" in (status.message or "")
    assert states(status)["ClusterReady"] == ("False", "ImagePullFailed")


def test_start_is_over_once_a_worker_was_ready() -> None:
    """A worker that was ready once ends the start deadline for good."""
    plan = scenes.workplan({"startDeadlineSeconds": 30})
    observed = scenes.told(scenes.running(workplan=plan), later(5))
    observed = scenes.replace(observed, pods=())
    assert observed.workplan.status.workers_ready_time is not None
    assert states(scenes.told(observed, later(99)).workplan.status)["Succeeded"][0] == "Unknown"


def test_start_holds_for_what_is_waited_for() -> None:
    """A source that does not come in time ends the WorkPlan with words about it."""
    plan = scenes.workplan({"startDeadlineSeconds": 30})
    blocked = Blocked("SourceUnavailable", "ConfigMap plans is missing", later(40))
    observed = scenes.fresh(workplan=plan, resolution=blocked)
    observed = scenes.told(observed)
    status = written(observed, later(30))
    assert status.reason == "StartDeadlineExceeded"
    assert "ConfigMap plans is missing" in (status.message or "")


def test_start_holds_while_the_runner_waits() -> None:
    """Ready workers are no start while the runner cannot get at its plan or its store."""
    plan = scenes.workplan({"startDeadlineSeconds": 30})
    waiting = Waiting(reason="StoreAccessDenied", message="wrong key")
    parts = {"operations": scenes.COUNTS, "waiting": waiting}
    observed = scenes.running(workplan=plan, status=parts)
    status = written(observed, later(31))
    assert status.reason == "StartDeadlineExceeded"
    assert "wrong key" in (status.message or "")


def test_start_is_over_for_a_run_that_waits_for_another_one() -> None:
    """A run that begins with what another run computes at that moment has begun."""
    plan = scenes.workplan({"startDeadlineSeconds": 30})
    waiting = Waiting(reason="Progressing", message="Somebody computes it.")
    parts = {"operations": scenes.COUNTS, "waiting": waiting}
    observed = scenes.told(scenes.running(workplan=plan, status=parts), waiting=waiting)
    status = scenes.told(observed, later(31)).workplan.status
    assert states(status)["Succeeded"][0] == "Unknown"


def test_are_looked_at_in_time() -> None:
    """The next look comes no later than the deadline."""
    plan = scenes.workplan({"activeDeadlineSeconds": 10})
    observed = scenes.running(workplan=plan)
    assert LookAgain(4.0) in decide(observed, later(6))
