"""What keeps pods from working, and how it is reported."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import (
    child_actions,
    run_outcome,
    states,
    written_status,
)
from tests.unit.controller.observed_builders import START, WORK_LEFT, later
from voxk8s.controller.decide.problems import worst_problem


@pytest.mark.parametrize(
    "reason", ["ImagePullFailed", "Unschedulable", "PodRejected", "OutOfMemory"]
)
def test_of_the_only_worker(reason: str) -> None:
    """The problem of the only worker makes ClusterReady False."""
    bad = build.pod(ready=False, problems=(build.problem(reason, "why"),))
    observed = build.running(pods=(bad,))
    found = build.with_operator_status(observed, later(1)).workplan.status
    assert states(found)["ClusterReady"] == ("False", reason)


def test_of_one_worker_among_others() -> None:
    """While others work, a worker that finds no node does not make the cluster readiness_error."""
    bad = build.pod(name="q", ready=False, problems=(build.problem("Unschedulable"),))
    found = build.with_operator_status(build.running(pods=(build.pod(), bad))).workplan.status
    assert states(found)["ClusterReady"] == ("True", "ClusterRunning")


def test_of_the_only_worker_of_a_group() -> None:
    """What needs its GPU waits for it, however many default workers are ready."""
    bad = build.pod(name="q", group="gpu", ready=False, problems=(build.problem("Unschedulable"),))
    pods = (build.pod(), bad)
    found = build.with_operator_status(build.running(pods=pods)).workplan.status
    assert states(found)["ClusterReady"] == ("False", "Unschedulable")
    second = (*pods, build.pod(name="r", group="gpu"))
    found = build.with_operator_status(build.running(pods=second)).workplan.status
    assert states(found)["ClusterReady"] == ("True", "ClusterRunning")


@pytest.mark.parametrize("reason", ["ImagePullFailed", "Unschedulable", "PodRejected"])
def test_of_the_runner(reason: str) -> None:
    """A runner that cannot start makes ClusterReady False, even if workers are ready."""
    bad = build.pod("runner", "r", ready=False, problems=(build.problem(reason, "why"),))
    found = build.with_operator_status(build.running(pods=(build.pod(), bad))).workplan.status
    assert states(found)["ClusterReady"] == ("False", reason)


def test_of_a_replaced_runner() -> None:
    """The problem of a runner pod that was replaced does not matter."""
    old = build.pod(
        "runner", "r0", ready=False, finished=True, problems=(build.problem("WorkerLost"),)
    )
    pods = (build.pod(), old, build.pod("runner", "r1"))
    found = build.with_operator_status(build.running(pods=pods, runner=build.job(attempts=2)))
    assert states(found.workplan.status)["ClusterReady"] == ("True", "ClusterRunning")


def test_of_a_runner_without_a_pod() -> None:
    """A Job without a pod is reported after a grace period."""
    refused = build.job(attempts=0)
    observed = build.running(runner=refused, pods=(build.pod(),))
    found = build.with_operator_status(observed, later(5)).workplan.status
    assert states(found)["ClusterReady"] == ("True", "ClusterRunning")
    status = written_status(observed, later(10))
    assert states(status)["ClusterReady"] == ("False", "PodRejected")
    message = next(c.message for c in status.conditions if c.type == "ClusterReady")
    assert "quota" in message
    assert "kubectl describe job/j" in message


def test_is_in_the_message_of_the_status() -> None:
    """The message of the status includes the worst problem while nothing is computed."""
    killed = build.pod(ready=False, problems=(build.problem("OutOfMemory", "limit 1Gi"),))
    counts = msgspec.structs.replace(build.COUNTS, pending=10)
    observed = build.with_operator_status(build.running(), operations=counts)
    assert observed.workplan.status.workers_ready_time is not None
    status = written_status(build.replace(observed, pods=(killed,)), later(5))
    assert status.message == "No worker is ready. limit 1Gi"
    status = written_status(build.replace(observed, pods=(build.pod(),)), later(5))
    assert status.message == "The runner is starting."


def test_out_of_memory_is_kept() -> None:
    """OutOfMemory is reported until the end of the run, even if other workers go on."""
    killed = build.pod(problems=(build.problem("OutOfMemory", "limit 1Gi"),))
    observed = build.with_operator_status(build.running(pods=(killed,)))
    assert states(observed.workplan.status)["ClusterReady"] == ("True", "OutOfMemory")
    observed = build.with_operator_status(build.replace(observed, pods=(build.pod(),)))
    assert states(observed.workplan.status)["ClusterReady"] == ("True", "OutOfMemory")


def test_lost_scheduler() -> None:
    """A scheduler that disappeared is reported; no child is deleted."""
    gone = build.replace(build.running(), scheduler=build.scheduler(available=0), pods=())
    assert states(written_status(gone))["ClusterReady"] == ("False", "SchedulerLost")
    assert not child_actions(gone)


def test_missing_dask_operator() -> None:
    """A cluster that the dask operator does not handle is reported after a grace period."""
    observed = build.with_operator_status(
        build.replace(
            build.with_operator_status(build.applied()),
            resolution=WORK_LEFT, cluster=build.cluster(),
            runner=build.job(),
        )
    )  # fmt: skip
    assert states(observed.workplan.status)["ClusterReady"][1] == "ClusterStarting"
    found = written_status(observed, later(15))
    assert states(found)["ClusterReady"] == ("False", "DaskOperatorMissing")


def test_rejected_children() -> None:
    """Rejected children are reported with the message of the API server."""
    observed = build.replace(
        build.with_operator_status(build.applied()),
        resolution=WORK_LEFT,
        create_errors=(build.problem("PodRejected", "exceeded quota"),),
    )
    assert states(written_status(observed))["ClusterReady"] == ("False", "PodRejected")


def test_cluster_that_is_not_deleted() -> None:
    """A finalizer that is not removed is reported, even after the end."""
    observed = build.with_operator_status(
        build.running(status={"outcome": run_outcome()}), outcome=run_outcome()
    )
    observed = build.replace(observed, cluster=build.cluster(deleting=START))
    found = written_status(observed, later(31))
    assert states(found)["ClusterReady"] == ("False", "DaskOperatorMissing")
    assert states(found)["Succeeded"] == ("True", "AllGoalsReached")


@pytest.mark.parametrize(
    ("handled", "error", "reason", "words"),
    [
        (False, "", "DaskOperatorMissing", "Nothing has handled"),
        (True, "", "DaskOperatorFailed", "see its log"),
        (True, "exceeded quota: deployments", "DaskOperatorFailed", "exceeded quota"),
    ],
)
def test_why_there_is_no_scheduler(handled: bool, error: str, reason: str, words: str) -> None:
    """A dask operator that works, but may not create the scheduler, is not missing."""
    observed = build.replace(
        build.running(cluster=build.cluster(handled=handled)), scheduler=None, pods=(),
        cluster_error=error,
    )  # fmt: skip
    found = worst_problem(observed, later(20))
    assert found is not None
    assert found.reason == reason
    assert words in found.message


@pytest.mark.parametrize(
    ("error", "words"),
    [("Deployment is invalid: limits", "Deployment is invalid: limits"), ("", "see its log")],
)
def test_why_a_group_has_no_workers(error: str, words: str) -> None:
    """The API server may refuse the Deployments of a group, whatever the cluster's others are."""
    group = build.worker_group(2, name="c-gpu", group="gpu", created=START, error=error)
    observed = build.running(worker_groups=(group,))
    found = worst_problem(observed, later(60))
    assert found is not None
    assert found.reason == "DaskOperatorFailed"
    assert "workers of DaskWorkerGroup c-gpu" in found.message
    assert words in found.message
    assert (worst_problem(observed, later(59)) is None) == (not error), "it needs a moment"
    made = (build.worker(), build.worker("g", group="gpu"), build.worker("h", group="gpu"))
    assert worst_problem(build.replace(observed, workers=made), later(60)) is None
    ready = (*observed.pods, build.pod(name="g", group="gpu"))
    assert worst_problem(build.replace(observed, pods=ready), later(60)) is None


def test_why_there_are_no_default_workers() -> None:
    """The same of the default group, before its first worker: later its number varies."""
    group = build.worker_group(2, error="Deployment is invalid")
    observed = build.running(worker_group=group, workers=(), pods=())
    assert worst_problem(observed, later(20)) is None
    new = msgspec.structs.replace(observed.workplan.status, workers_ready_time=None)
    found = worst_problem(build.with_status(observed, new), later(20))
    assert found is not None
    assert (found.reason, found.message.endswith("is invalid")) == ("DaskOperatorFailed", True)


def test_a_job_that_another_controller_suspended() -> None:
    """It gets no pod, and the reason is not a quota of the namespace."""
    suspended = build.running(runner=build.job(suspended=True, attempts=0), pods=())
    problem = worst_problem(suspended, later(60))
    assert problem is not None
    assert "manageJobsWithoutQueueName" in problem.message
