"""Deletion of children that a run no longer needs."""

from __future__ import annotations

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
from tests.unit.controller.observed_builders import START, later
from voxk8s.controller.decide.actions import (
    ChildKind,
    DeleteChild,
    RequeueAfter,
    WriteRunnerStatus,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.resolve.resolution_state import Unresolved


def test_runner_outcome_ends_the_run() -> None:
    """The runner's outcome ends the WorkPlan; the cluster is deleted, the exiting Job is kept.

    The cluster is deleted after its autoscaler, or after a grace period.
    """
    observed = build.running(status={"outcome": run_outcome()})
    status = written_status(observed, later(9))
    assert states(status)["Succeeded"] == ("True", "AllGoalsReached")
    assert status.completion_time == later(9)
    assert status.cluster is not None
    assert status.cluster.workers == 0
    assert child_actions(observed) == (
        DeleteChild(ChildKind.AUTOSCALER, "c", "u-c", "AllGoalsReached"),
    )
    going = build.replace(observed, autoscaler=build.autoscaler(deleting=START))
    assert not child_actions(going, later(1))
    last = (DeleteChild(ChildKind.CLUSTER, "c", "u-c", "AllGoalsReached"),)
    assert child_actions(build.replace(observed, autoscaler=None)) == last
    assert child_actions(going, later(5)) == last


def test_runner_that_does_not_exit_is_deleted() -> None:
    """A runner that still runs 30 s after its outcome is deleted."""
    observed = build.with_operator_status(
        build.running(status={"outcome": run_outcome()}), outcome=run_outcome()
    )
    assert DeleteChild(ChildKind.RUNNER, "j", "u-j", "AllGoalsReached") not in child_actions(
        observed, later(10)
    )
    assert DeleteChild(ChildKind.RUNNER, "j", "u-j", "AllGoalsReached") in child_actions(
        observed, later(40)
    )


@pytest.mark.parametrize("end", ["deadline", "suspension"])
def test_no_operation_runs_without_a_runner(end: str) -> None:
    """Without a runner no operation is reported as running; its other fields are kept."""
    plan = build.workplan({"activeDeadlineSeconds": 60} if end == "deadline" else {})
    observed = build.running(workplan=plan, status={"results": (), "run_url": "s3://r/runs/x"})
    if end == "suspension":
        observed = build.with_spec(observed, suspend=True)
    kept = {"results": (), "run_url": "s3://r/runs/x", "progress": "5/12"}
    counts = observed.workplan.status.operations
    observed = build.with_operator_status(observed, later(60), operations=counts, **kept)
    assert not [a for a in decided_actions(observed, later(61)) if isinstance(a, WriteRunnerStatus)]
    gone = build.replace(
        observed, runner=None, cluster=None, autoscaler=None, pods=(), resolution=Unresolved()
    )
    parts = [a.part for a in decided_actions(gone, later(62)) if isinstance(a, WriteRunnerStatus)]
    assert len(parts) == 1
    assert (parts[0]["operations"]["running"], parts[0]["operations"]["pending"]) == (0, 7)
    assert (parts[0]["progress"], parts[0]["runURL"]) == ("5/12", "s3://r/runs/x")


ENDED = build.replace(
    build.with_operator_status(
        build.running(status={"outcome": run_outcome()}), outcome=run_outcome()
    ),
    access=build.access(),
)
GONE: dict[str, Any] = {
    "cluster": None, "autoscaler": None, "runner": None, "workers": (), "pods": (),
    "live_pods": (),
}  # fmt: skip
ACCESS_DELETION = DeleteChild(ChildKind.ACCESS, "a", "u-a", "the run is over")


def test_access_of_a_run_that_is_over() -> None:
    """When its last pod has ended, the accounts, policies and keys of a run are deleted, once."""
    gone = build.replace(ENDED, **GONE)
    assert ACCESS_DELETION in child_actions(gone, later(60))
    deleting = build.replace(gone, access=build.access(deleting=True))
    assert ACCESS_DELETION not in child_actions(deleting, later(60))


@pytest.mark.parametrize(
    "left",
    [
        {"live_pods": (build.pod(),)},
        {"cluster": build.cluster()},
        {"autoscaler": build.autoscaler()},
    ],
    ids=lambda left: next(iter(left)),
)
def test_access_of_pods_that_run(left: dict[str, Any]) -> None:
    """Pods that have not ended keep the policies that confine them."""
    observed = build.replace(ENDED, **GONE | left)
    assert ACCESS_DELETION not in child_actions(observed, later(60))


def test_cluster_of_a_failed_run_is_kept() -> None:
    """For a while there is a cluster to look at, without what would remove its workers."""
    plan = build.workplan({"cluster": {"keepOnFailureSeconds": 300}})
    outcome = run_outcome("Failed", "OperationFailed", message="no")
    ran = build.running(workplan=plan, status={"outcome": outcome}, access=None)
    status = written_status(ran, later(5))
    assert states(status)["ClusterReady"] == ("True", "ClusterKept")
    assert (status.phase, status.cluster and status.cluster.workers) == ("Failed", 1)
    ended = build.with_operator_status(ran, later(5), outcome=outcome)
    assert [a.kind for a in child_actions(ended, later(6)) if isinstance(a, DeleteChild)] == [
        ChildKind.AUTOSCALER
    ]
    counts = msgspec.structs.replace(build.COUNTS, failed=1)
    ended = build.with_operator_status(ended, later(6), outcome=outcome, operations=counts)
    kept = build.replace(
        ended, autoscaler=None, runner=build.job(complete=True), resolution=Unresolved()
    )
    assert decided_actions(kept, later(200)) == ()
    assert RequeueAfter(4.0) in decide(kept, later(301))
    over = decided_actions(kept, later(305))
    assert DeleteChild(ChildKind.CLUSTER, "c", "u-c", "OperationFailed") in over
    assert states(written_status(kept, later(305)))["ClusterReady"][1] == "ClusterReleased"


def test_cluster_of_a_success_is_not_kept() -> None:
    """There is nothing to look for."""
    plan = build.workplan({"cluster": {"keepOnFailureSeconds": 300}})
    parts = {"outcome": run_outcome()}
    ran = build.running(workplan=plan, status=parts, autoscaler=None)
    ended = build.with_operator_status(ran, later(5), **parts)
    assert ChildKind.CLUSTER in [
        a.kind for a in child_actions(ended, later(6)) if isinstance(a, DeleteChild)
    ]
