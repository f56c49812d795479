"""Deadlines, and what counts as the start of a run."""

from __future__ import annotations

import msgspec

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import (
    child_actions,
    states,
    written_status,
)
from tests.unit.controller.observed_builders import START, later
from voxk8s.api.status import Waiting
from voxk8s.controller.decide.actions import (
    ChildKind,
    DeleteChild,
    RequeueAfter,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.resolve.resolution_state import Blocked


def test_active() -> None:
    """A run beyond its active deadline fails, and its pods are deleted."""
    plan = build.workplan({"activeDeadlineSeconds": 60})
    observed = build.running(workplan=plan, autoscaler=build.autoscaler(0, deleting=START))
    assert not child_actions(observed, later(59))
    assert states(written_status(observed, later(60)))["Stalled"] == ("True", "DeadlineExceeded")
    assert {a.kind for a in child_actions(observed, later(60)) if isinstance(a, DeleteChild)} == {
        ChildKind.CLUSTER, ChildKind.RUNNER,
    }  # fmt: skip


def test_start_applies_to_a_rejected_runner() -> None:
    """A run whose runner pod is rejected has not started, even if workers are ready."""
    plan = build.workplan({"startDeadlineSeconds": 30})
    alone = build.job(attempts=0)
    parts = {"operations": build.COUNTS}
    observed = build.running(
        workplan=plan, status=parts, runner=alone, runner_pod_error="exceeded quota: q"
    )
    found = written_status(observed, later(30))
    assert states(found)["Stalled"] == ("True", "StartDeadlineExceeded")
    assert (found.message or "").startswith("The run did not start within 30 s")
    assert (found.message or "").endswith("exceeded quota: q")


def test_start_names_the_problem() -> None:
    """The message names what kept workers from starting; ClusterReady keeps its reason."""
    plan = build.workplan({"startDeadlineSeconds": 30})
    bad = build.pod(ready=False, problems=(build.problem("ImagePullFailed", "no img:1"),))
    starting = build.scheduler(available=0)
    observed = build.running(workplan=plan, pods=(bad,), scheduler=starting)
    observed = build.with_status(
        observed,
        msgspec.structs.replace(observed.workplan.status, workers_ready_time=None),
    )
    observed = build.with_operator_status(observed, later(5))
    assert states(observed.workplan.status)["ClusterReady"] == ("False", "ImagePullFailed")
    status = written_status(observed, later(31))
    assert states(status)["Succeeded"] == ("False", "StartDeadlineExceeded")
    assert "no img:1" in (status.message or "")
    assert states(status)["ClusterReady"] == ("False", "ImagePullFailed")


def test_start_applies_to_a_group_that_all_operations_wait_for() -> None:
    """Default workers have nothing to do then, and the run would wait without an end.

    Not once anything was computed, or while it waits for another run.
    """
    cluster = {"workerGroups": [{"name": "gpu"}]}
    plan = build.workplan({"startDeadlineSeconds": 30, "cluster": cluster})
    bad = build.pod(
        name="g", group="gpu", ready=False, problems=(build.problem("Unschedulable", "no GPU"),)
    )
    pods = (build.pod(), build.pod("runner", "r"), bad)
    idle = {"operations": build.COUNTS}
    parts = {"cluster": build.cluster(groups={"gpu": 1}), "workplan": plan, "status": idle}
    observed = build.running(pods=pods, **parts)
    assert states(written_status(observed, later(29)))["Succeeded"][0] == "Unknown"
    assert RequeueAfter(1.0) in decide(observed, later(29))
    status = written_status(observed, later(30))
    assert states(status)["Succeeded"] == ("False", "StartDeadlineExceeded")
    assert (status.message or "").startswith("The run did not start within 30 s")
    assert (status.message or "").endswith("no GPU")
    pulls = build.running(pods=(*pods[:2], build.pod(name="g", group="gpu", ready=False)), **parts)
    status = written_status(pulls, later(30))
    assert (status.message or "").endswith("no worker of group gpu is ready.")
    elsewhere = Waiting(reason="Progressing", message="Somebody computes it.")
    for begun in ({"operations": msgspec.structs.replace(build.COUNTS, running=1)},
                  {**idle, "waiting": elsewhere}):  # fmt: skip
        goes_on = build.running(pods=pods, **{**parts, "status": begun})
        assert states(written_status(goes_on, later(31)))["Succeeded"][0] == "Unknown"
    ready = build.running(pods=(*pods, build.pod(name="h", group="gpu")), **parts)
    assert states(written_status(ready, later(31)))["Succeeded"][0] == "Unknown"


def test_start_is_over_once_a_worker_was_ready() -> None:
    """After a worker was ready once, the start deadline no longer applies."""
    plan = build.workplan({"startDeadlineSeconds": 30})
    observed = build.with_operator_status(build.running(workplan=plan), later(5))
    observed = build.replace(observed, pods=())
    assert observed.workplan.status.workers_ready_time is not None
    assert (
        states(build.with_operator_status(observed, later(99)).workplan.status)["Succeeded"][0]
        == "Unknown"
    )


def test_start_applies_to_a_missing_source() -> None:
    """A source that is missing for too long ends the WorkPlan, and the message names it."""
    plan = build.workplan({"startDeadlineSeconds": 30})
    blocked = Blocked("SourceUnavailable", "ConfigMap plans is missing", later(40))
    observed = build.applied(workplan=plan, resolution=blocked)
    observed = build.with_operator_status(observed)
    status = written_status(observed, later(30))
    assert status.reason == "StartDeadlineExceeded"
    assert "ConfigMap plans is missing" in (status.message or "")


def test_start_applies_while_the_runner_waits() -> None:
    """A run whose runner cannot read its plan or store has not started."""
    plan = build.workplan({"startDeadlineSeconds": 30})
    waiting = Waiting(reason="StoreAccessDenied", message="wrong key")
    parts = {"operations": build.COUNTS, "waiting": waiting}
    observed = build.running(workplan=plan, status=parts)
    status = written_status(observed, later(31))
    assert status.reason == "StartDeadlineExceeded"
    assert "wrong key" in (status.message or "")


def test_start_is_over_for_a_run_that_waits_for_another_one() -> None:
    """A run that waits for results of another run has started."""
    plan = build.workplan({"startDeadlineSeconds": 30})
    waiting = Waiting(reason="Progressing", message="Somebody computes it.")
    parts = {"operations": build.COUNTS, "waiting": waiting}
    observed = build.with_operator_status(
        build.running(workplan=plan, status=parts), waiting=waiting
    )
    status = build.with_operator_status(observed, later(31)).workplan.status
    assert states(status)["Succeeded"][0] == "Unknown"


def test_are_checked_in_time() -> None:
    """The WorkPlan is requeued no later than its deadline."""
    plan = build.workplan({"activeDeadlineSeconds": 10})
    observed = build.running(workplan=plan)
    assert RequeueAfter(4.0) in decide(observed, later(6))
