"""Quota of Kueue: what a run with a queue waits for, what it gives up, and when."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import (
    child_actions,
    decided_actions,
    run_outcome,
    states,
    written_status,
)
from tests.unit.controller.observed_builders import FULLY_CACHED, START, WORK_LEFT, later
from voxk8s.cluster.placement import Placement
from voxk8s.controller.decide.actions import (
    ApplyAutoscaler,
    ChildKind,
    CreateAccess,
    CreateCluster,
    CreateRunner,
    CreateWorkload,
    DeleteChild,
    ForgetPlan,
    ReleaseQuota,
    ReportPodsReady,
    RequeueAfter,
    RequeueWorkload,
    ResolvePlan,
    WriteRunnerStatus,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.decide.policies.queueing import wants_cluster
from voxk8s.controller.observe.observed import Observed, Problem, WorkloadView
from voxk8s.controller.resolve.resolution_state import Resolved, Unresolved

EVICTED = Problem("Preempted", "Preempted to accommodate a workload")
GONE: dict[str, Any] = {
    "cluster": None, "autoscaler": None, "scheduler": None, "runner": None, "worker_group": None,
    "workers": (), "pods": (), "resolution": Unresolved(),
}  # fmt: skip


def workload(**changes: Any) -> WorkloadView:
    """Make the Workload of the run, which waits."""
    return WorkloadView(**{"name": "q", "uid": "u-q", "owner": "u-1", "queue": "lab", **changes})


ADMITTED = workload(reserved=True, admitted=True)
EVICTION = workload(reserved=True, admitted=True, evicted=EVICTED)


def waiting(**changes: Any) -> Observed:
    """Make a WorkPlan with work left that waits for quota, and says so."""
    observed = build.applied(queue="lab", workload=workload(), resolution=WORK_LEFT)
    return build.replace(build.with_operator_status(observed), **changes)


def running(**changes: Any) -> Observed:
    """Make a run that computes with quota."""
    ready = workload(reserved=True, admitted=True, pods_ready=True)
    return build.running(**{"queue": "lab", "workload": ready, **changes})


def test_known_work_needs_no_quota() -> None:
    """A plan whose results are known ends without a Workload."""
    observed = build.applied(queue="lab", resolution=FULLY_CACHED)
    assert written_status(observed).phase == "Succeeded"
    assert not any(isinstance(each, CreateWorkload) for each in decided_actions(observed))


@pytest.mark.parametrize(
    ("threads", "spec", "asked"),
    [
        (10, {}, CreateWorkload(3, 1)),
        (None, {"maxWorkers": 6, "minWorkers": 2}, CreateWorkload(6, 2)),
        (1, {"minWorkers": 2}, CreateWorkload(2, 2)),
        (1000, {"maxWorkers": 5}, CreateWorkload(5, 1)),
    ],
)
def test_asks_for_what_is_left(threads: int | None, spec: Any, asked: CreateWorkload) -> None:
    """The Workload has as many workers as what is left keeps busy, and may get fewer."""
    resource = build.workplan({"cluster": spec})
    resolution = Resolved(counts=build.COUNTS, threads=threads)
    observed = build.applied(workplan=resource, queue="lab", resolution=resolution)
    assert asked in decided_actions(observed)
    assert not child_actions(observed)
    status = written_status(observed)
    assert (status.phase, status.reason) == ("Queued", "WaitingForQuota")
    assert states(status)["Ready"] == ("False", "WaitingForQuota")
    assert states(status)["ClusterReady"] == ("False", "WaitingForQuota")


def test_waits_without_writes() -> None:
    """Nothing is decided while Kueue has not decided, whatever numbers its messages have."""
    observed = waiting()
    assert decided_actions(observed) == ()
    assert RequeueAfter(60.0) in decide(observed, later(1))
    said = Problem("Pending", "2 more cpu needed")
    observed = build.with_operator_status(build.replace(observed, workload=workload(waiting=said)))
    assert "lab by Workload q: 2 more cpu" in str(observed.workplan.status.message)
    other = workload(waiting=Problem("Pending", "3 more cpu needed"))
    assert decided_actions(build.replace(observed, workload=other)) == ()
    wrong = workload(waiting=Problem("Inadmissible", "LocalQueue lab doesn't exist"))
    assert "doesn't exist" in str(written_status(build.replace(observed, workload=wrong)).message)


def test_a_queue_takes_no_place_of_the_limits() -> None:
    """The chart's limits count runs that Kueue has admitted."""
    assert not wants_cluster(waiting())
    assert wants_cluster(waiting(workload=ADMITTED))


def test_starts_when_admitted() -> None:
    """Quota alone is not enough where checks are left; with both the run starts."""
    checked = waiting(workload=workload(reserved=True))
    assert not child_actions(checked)
    assert "admission checks are not done" in str(written_status(checked).message)
    assert child_actions(waiting(workload=ADMITTED)) == (
        CreateAccess(),
        CreateCluster(3),
        CreateRunner(),
    )


def test_no_more_workers_than_admitted() -> None:
    """Of 3 workers 2 are admitted: the cluster starts with them and does not grow."""
    observed = waiting(workload=ADMITTED, placements={"worker": Placement(count=2)})
    assert CreateCluster(2) in child_actions(observed)
    grown = running(placements={"worker": Placement(count=2)})
    assert ApplyAutoscaler(0, 2) in child_actions(grown)


def test_no_worker_group_without_quota() -> None:
    """What is left changed since the Workload was made: another one, with the group, is asked."""
    plan = build.workplan({"cluster": {"workerGroups": [{"name": "gpu"}, {"name": "spot"}]}})
    left = dataclasses.replace(WORK_LEFT, groups={"gpu": 1, "spot": 1})
    admitted = {"worker": Placement(count=3), "worker-gpu": Placement(count=1)}
    observed = build.applied(
        workplan=plan, queue="lab", workload=ADMITTED, placements=admitted, resolution=left
    )
    observed = build.with_operator_status(observed)
    assert child_actions(observed) == (
        DeleteChild(ChildKind.WORKLOAD, "q", "u-q", "WaitingForQuota"),
    )
    assert "worker group spot" in str(observed.workplan.status.message)
    again = build.replace(observed, workload=None, placements={})
    assert CreateWorkload(3, 1, {"gpu": 1, "spot": 1}) in decided_actions(again)
    all_of_it = {**admitted, "worker-spot": Placement(count=1)}
    granted = build.replace(observed, placements=all_of_it)
    assert CreateCluster(3, {"gpu": 1, "spot": 1}) in child_actions(granted)


def test_a_flavor_that_does_not_exist() -> None:
    """A run does not start where nobody knows its nodes; one that runs goes on."""
    observed = waiting(workload=ADMITTED, unknown_flavors=("spot",))
    assert not child_actions(observed)
    assert not wants_cluster(observed), "others need its place"
    assert "ResourceFlavor spot does not exist" in str(written_status(observed).message)
    assert decided_actions(running(unknown_flavors=("spot",))) == decided_actions(running())


def test_pods_are_ready() -> None:
    """Kueue is told once: it may evict a Workload whose pods do not become ready in time."""
    observed = build.running(queue="lab", workload=ADMITTED)
    assert ReportPodsReady("u-q") in decided_actions(observed)
    assert ReportPodsReady("u-q") not in decided_actions(running())


@pytest.mark.parametrize(
    "lost",
    [EVICTION, None, workload(reserved=True, admitted=True, active=False), workload(deleting=True)],
)
def test_a_loss_of_quota_deletes_the_pods(lost: WorkloadView | None) -> None:
    """Without quota cluster and runner go, results stay, and the plan is looked up anew."""
    observed = build.replace(running(autoscaler=None), workload=lost)
    assert child_actions(observed) == (
        DeleteChild(ChildKind.CLUSTER, "c", "u-c", "Evicted"),
        DeleteChild(ChildKind.RUNNER, "j", "u-j", "Evicted"),
    )
    assert ForgetPlan() in decided_actions(observed)
    status = written_status(observed)
    assert (status.phase, status.reason) == ("Queued", "Evicted")
    assert states(status)["Ready"] == ("False", "Evicted")
    assert RequeueAfter(2.0) in decide(observed, START)


def evicted(**left: Any) -> Observed:
    """Make a run that was evicted, has written so, and has nothing left but `left`."""
    stopping = build.replace(running(), workload=EVICTION)
    operations = msgspec.structs.replace(build.COUNTS, computed=3, running=2, pending=5)
    stopping = build.with_operator_status(stopping, operations=operations)
    return build.replace(stopping, **GONE | {"workload": EVICTION, **left})


def test_quota_is_given_back_after_the_last_pod() -> None:
    """Else pods of two runs would share one quota."""
    assert ReleaseQuota("u-q") not in decided_actions(evicted(live_pods=(build.pod(),)))
    assert ReleaseQuota("u-q") not in decided_actions(
        evicted(cluster=build.cluster(deleting=START))
    )
    found = decided_actions(evicted())
    assert ReleaseQuota("u-q") in found
    assert any(isinstance(each, WriteRunnerStatus) for each in found)


def test_an_evicted_run_is_queued_again() -> None:
    """It is looked up while it waits, may be known by then, and else starts when admitted."""
    after = evicted(workload=workload(evicted=EVICTED))
    assert ResolvePlan() in decided_actions(after)
    again = build.with_operator_status(after)
    assert again.workplan.status.phase == "Queued"
    known = build.replace(again, resolution=FULLY_CACHED)
    assert written_status(known).phase == "Succeeded"
    resumed = build.replace(again, resolution=WORK_LEFT, workload=ADMITTED)
    assert CreateCluster(3) in child_actions(resumed)


def test_an_inactive_workload_is_left_alone() -> None:
    """Whoever set spec.active to false decides when the run may be queued again."""
    observed = waiting(workload=workload(active=False, evicted=Problem("Deactivated", "off")))
    assert not child_actions(observed)
    assert "see its spec.active" in str(written_status(observed).message)


@pytest.mark.parametrize("end", ["succeeds", "suspended"])
def test_quota_is_given_up_at_the_end(end: str) -> None:
    """The Workload of a run that has ended or is suspended goes after its last pod."""
    if end == "succeeds":
        observed = build.with_operator_status(running(status={"outcome": run_outcome()}))
        left = GONE | {"runner": build.job(complete=True, ended=START)}
    else:
        observed = build.with_operator_status(build.with_spec(running(), suspend=True))
        left = GONE
    deletion = DeleteChild(ChildKind.WORKLOAD, "q", "u-q", observed.workplan.status.reason or "")
    busy = build.replace(observed, **left | {"live_pods": (build.pod(),)})
    assert deletion not in decided_actions(busy)
    assert deletion in decided_actions(build.replace(observed, **left))
    assert not child_actions(build.replace(observed, **left, workload=workload(deleting=True)))


def test_another_queue_or_priority() -> None:
    """What is edited while the run waits reaches Kueue; a class determines the priority itself."""
    assert RequeueWorkload("urgent", 0) in decided_actions(waiting(queue="urgent"))
    raised = build.with_spec(waiting(), priority=5)
    assert RequeueWorkload("lab", 5) in decided_actions(raised)
    classed = build.replace(raised, workload=workload(classed=True))
    assert RequeueWorkload("lab", 5) not in decided_actions(classed)
    reserved = waiting(queue="urgent", workload=workload(reserved=True))
    assert RequeueWorkload("urgent", 0) not in decided_actions(reserved)


def test_without_the_label_the_run_starts() -> None:
    """A Workload that only waits goes with the label; one with quota stays until the end."""
    observed = waiting(queue="")
    assert CreateCluster(3) in child_actions(observed)
    assert DeleteChild(ChildKind.WORKLOAD, "q", "u-q", "ClusterStarting") in child_actions(observed)
    assert not child_actions(build.replace(running(), queue=""))


def test_kueue_is_not_there() -> None:
    """The API server's answer to the creation of the Workload is the reason to wait."""
    problem = build.problem("KueueMissing", "The kind Workload does not exist")
    status = written_status(waiting(workload=None, create_errors=(problem,)))
    assert (status.phase, status.reason) == ("Queued", "KueueMissing")
    assert states(status)["Ready"] == ("False", "KueueMissing")


def test_a_workload_that_is_over_is_replaced() -> None:
    """What Kueue has declared finished gives no quota any more."""
    over = waiting(workload=workload(finished=True))
    assert DeleteChild(ChildKind.WORKLOAD, "q", "u-q", "WaitingForQuota") in decided_actions(over)
