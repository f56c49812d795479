"""The decision table: what the operator does at each moment of a WorkPlan's life."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

import msgspec
import pytest

from tests.unit.controller import scenes
from tests.unit.controller.scenes import KNOWN, START, WORK, later
from voxk8s import constants
from voxk8s.api import Outcome, Waiting, WorkPlanStatus, decode_status, find_condition
from voxk8s.controller.actions import (
    Action,
    ApplyAutoscaler,
    Child,
    CreateAccess,
    CreateCluster,
    CreateRunner,
    Delete,
    DeleteWorkPlan,
    Forget,
    LookAgain,
    Record,
    Resolve,
    WriteRun,
    WriteStatus,
)
from voxk8s.controller.decide import decide
from voxk8s.controller.observed import Observed
from voxk8s.controller.resolution import Blocked, Invalid, Resolving, Unresolved

CHILDREN = (CreateAccess, CreateCluster, CreateRunner, ApplyAutoscaler, Delete)


def decided(observed: Observed, now: datetime = START) -> tuple[Action, ...]:
    """Decide, without the wishes to look again."""
    return tuple(a for a in decide(observed, now) if not isinstance(a, LookAgain))


def children(observed: Observed, now: datetime = START) -> tuple[Action, ...]:
    """Give the decided actions about children."""
    return tuple(a for a in decided(observed, now) if isinstance(a, CHILDREN))


def written(observed: Observed, now: datetime = START) -> WorkPlanStatus:
    """Give the one status that is written."""
    parts = [a.part for a in decided(observed, now) if isinstance(a, WriteStatus)]
    assert len(parts) == 1
    return decode_status(parts[0])


def states(status: WorkPlanStatus) -> dict[str, tuple[str, str]]:
    """Give status and reason of each condition."""
    return {c.type: (c.status, c.reason) for c in status.conditions}


def finished(state: str = "Succeeded", reason: str = "AllGoalsReached", **more: Any) -> Outcome:
    """Make the outcome that a runner writes."""
    return Outcome(state="Succeeded" if state == "Succeeded" else "Failed", reason=reason, **more)


def test_first_look_accepts_and_resolves() -> None:
    """A fresh WorkPlan is accepted with all its conditions, and its plan is looked into."""
    actions = decided(scenes.fresh())
    assert isinstance(actions[0], Resolve)
    status = written(scenes.fresh())
    assert states(status) == {
        "Reconciling": ("True", "Accepted"),
        "Stalled": ("False", "Accepted"),
        "Ready": ("Unknown", "Accepted"),
        "Succeeded": ("Unknown", "Accepted"),
        "StoreReady": ("Unknown", "Accepted"),
        "ClusterReady": ("Unknown", "Accepted"),
    }
    assert (status.observed_generation, status.start_time) == (1, START)
    assert not children(scenes.fresh())


def test_nothing_is_written_twice() -> None:
    """While the plan is resolved, a second look changes nothing."""
    observed = scenes.told(scenes.fresh(resolution=Resolving()))
    assert decided(observed, later(3)) == ()


def test_known_plan_is_completed_without_children() -> None:
    """When every goal is known, results are written first, then success; no child is made."""
    observed = scenes.replace(scenes.told(scenes.fresh()), resolution=KNOWN)
    actions = decided(observed, later(1))
    assert actions[0] == WriteRun(KNOWN.finished or {})
    status = written(observed, later(1))
    assert states(status)["Succeeded"] == ("True", "AllGoalsReached")
    assert states(status)["Ready"] == ("True", "AllGoalsReached")
    assert states(status)["Reconciling"][0] == "False"
    assert states(status)["StoreReady"] == ("True", "StoreConnected")
    assert states(status)["ClusterReady"] == ("False", "ClusterNotNeeded")
    assert (status.phase, status.duration) == ("Succeeded", "1s")
    assert not children(observed)


def test_work_that_is_left_gets_children() -> None:
    """Cluster and runner start at once, side by side; the autoscaler waits for the scheduler."""
    observed = scenes.replace(scenes.told(scenes.fresh()), resolution=WORK)
    assert children(observed) == (CreateAccess(), CreateCluster(3), CreateRunner())
    assert states(written(observed))["ClusterReady"] == ("Unknown", "ClusterStarting")


@pytest.mark.parametrize(
    ("width", "limits", "workers"),
    [
        pytest.param(10, {}, 3, id="width over threads"),
        pytest.param(1000, {}, 8, id="no more than allowed"),
        pytest.param(1, {}, 1, id="one after the other"),
        pytest.param(0, {}, 1, id="at least one"),
        pytest.param(None, {}, 1, id="width not known"),
        pytest.param(1, {"minWorkers": 4}, 4, id="at least the minimum"),
        pytest.param(9, {"threadsPerWorker": 1}, 8, id="one thread each"),
    ],
)
def test_first_workers(width: int | None, limits: dict[str, int], workers: int) -> None:
    """The first workers are what is left side by side, within the limits of the spec."""
    plan = scenes.workplan({"cluster": limits})
    observed = scenes.told(scenes.fresh(workplan=plan))
    observed = scenes.replace(observed, resolution=dataclasses.replace(WORK, width=width))
    assert CreateCluster(workers) in children(observed)


def test_autoscaler_comes_with_the_scheduler() -> None:
    """Once the scheduler is available the autoscaler keeps the first workers until work begins."""
    observed = scenes.replace(scenes.running(), autoscaler=None)
    idle = scenes.with_status(
        observed, msgspec.structs.replace(observed.workplan.status, operations=None)
    )
    waiting = scenes.replace(idle, scheduler=scenes.scheduler(available=0))
    assert not children(waiting)
    assert children(idle) == (ApplyAutoscaler(3, 8),)
    assert children(observed) == (ApplyAutoscaler(0, 8),)
    assert not children(scenes.running())


def test_runner_outcome_ends_the_run() -> None:
    """The runner's success becomes the WorkPlan's; the cluster goes, the exiting Job stays.

    The autoscaler goes before the cluster, which waits for it, but not for ever.
    """
    observed = scenes.running(status={"outcome": finished()})
    status = written(observed, later(9))
    assert states(status)["Succeeded"] == ("True", "AllGoalsReached")
    assert status.completion_time == later(9)
    assert status.cluster is not None
    assert status.cluster.workers == 0
    assert children(observed) == (Delete(Child.AUTOSCALER, "c", "AllGoalsReached"),)
    going = scenes.replace(observed, autoscaler=scenes.scaler(deleting=START))
    assert not children(going, later(1))
    last = (Delete(Child.CLUSTER, "c", "AllGoalsReached"),)
    assert children(scenes.replace(observed, autoscaler=None)) == last
    assert children(going, later(5)) == last


@pytest.mark.parametrize("end", ["outcome", "suspension"])
def test_copied_credentials_go_first(end: str) -> None:
    """The Secret of the run's pods goes before the cluster that tells of it, once."""
    observed = scenes.running(cluster=scenes.cluster(secret="s"), runner=scenes.job(secret="s"))
    if end == "suspension":
        observed = scenes.with_spec(observed, suspend=True)
    else:
        status = msgspec.structs.replace(observed.workplan.status, outcome=finished())
        observed = scenes.with_status(observed, status)
    kinds = [action.child for action in children(observed) if isinstance(action, Delete)]
    assert kinds[:2] == [Child.AUTOSCALER, Child.CREDENTIALS]
    assert kinds.count(Child.CREDENTIALS) == 1
    over = scenes.replace(
        scenes.told(observed, outcome=observed.workplan.status.outcome),
        cluster=None, autoscaler=None, pods=(), runner=scenes.job(secret="s", complete=True),
    )  # fmt: skip
    assert not children(over, later(60))


def test_runner_that_does_not_exit_goes() -> None:
    """A runner that still runs half a minute after its outcome is deleted."""
    observed = scenes.told(scenes.running(status={"outcome": finished()}), outcome=finished())
    assert Delete(Child.RUNNER, "j", "AllGoalsReached") not in children(observed, later(10))
    assert Delete(Child.RUNNER, "j", "AllGoalsReached") in children(observed, later(40))


def test_failed_goals_stall() -> None:
    """Failed goals end the run Stalled, with the runner's reason and words."""
    outcome = finished("Failed", "OperationFailed", message="1 of 2 goals failed: no such image")
    status = written(scenes.running(status={"outcome": outcome}))
    assert states(status)["Stalled"] == ("True", "OperationFailed")
    assert states(status)["Succeeded"] == ("False", "OperationFailed")
    assert states(status)["Ready"] == ("False", "OperationFailed")
    assert status.message == outcome.message


def test_memory_is_named_in_a_failure() -> None:
    """A failure of a run with a worker killed for memory says so."""
    killed = scenes.pod(troubles=(scenes.trouble("OutOfMemory", "killed for memory"),))
    outcome = finished("Failed", "OperationFailed", message="lost workers.")
    observed = scenes.running(status={"outcome": outcome}, pods=(killed,))
    assert written(observed).message == "lost workers. killed for memory"


@pytest.mark.parametrize(
    "reason", [constants.REASON_INVALID_PLAN, constants.REASON_INPUT_NOT_ALLOWED]
)
def test_invalid_plan_is_terminal(reason: str) -> None:
    """An invalid plan stalls at once, with its path, and no child is ever made."""
    observed = scenes.replace(scenes.told(scenes.fresh()), resolution=Invalid(reason, "at $.x"))
    status = written(observed)
    assert states(status)["Stalled"] == ("True", reason)
    assert states(status)["ClusterReady"] == ("False", "ClusterNotNeeded")
    assert status.message == "at $.x"
    assert not children(observed)
    settled = scenes.replace(scenes.told(observed), resolution=Unresolved())
    assert decided(settled, later(3)) == ()


@pytest.mark.parametrize(
    ("reason", "condition"),
    [
        (constants.REASON_SOURCE_UNAVAILABLE, "Ready"),
        (constants.REASON_STORE_UNREACHABLE, "StoreReady"),
        (constants.REASON_STORE_ACCESS_DENIED, "StoreReady"),
    ],
)
def test_what_may_come_is_waited_for(reason: str, condition: str) -> None:
    """A missing source or store is told and tried again, and the WorkPlan is in progress."""
    blocked = Blocked(reason, "not there", retry_at=later(5))
    observed = scenes.replace(scenes.told(scenes.fresh()), resolution=blocked)
    status = written(observed)
    assert states(status)[condition] == ("False", reason)
    assert states(status)["Succeeded"][0] == "Unknown"
    assert states(status)["Reconciling"][0] == "True"
    assert Resolve() not in decide(observed, later(4))
    assert Resolve() in decide(observed, later(5))
    assert LookAgain(1.0) in decide(observed, later(4))
    told = scenes.told(observed)
    assert decided(scenes.replace(told, resolution=Resolving(blocked)), later(6)) == ()


def test_runner_waiting_for_the_store_is_told() -> None:
    """What the runner waits for is told in StoreReady; nothing is torn down."""
    waiting = Waiting(reason="StoreUnreachable", message="x")
    observed = scenes.told(scenes.running())
    observed = scenes.with_status(
        observed, msgspec.structs.replace(observed.workplan.status, waiting=waiting)
    )
    assert states(written(observed))["StoreReady"] == ("False", "StoreUnreachable")
    assert not children(observed)


class TestSuspension:
    """spec.suspend."""

    def test_gives_the_cluster_back(self) -> None:
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

    def test_before_the_start_does_nothing(self) -> None:
        """A WorkPlan that is applied suspended is accepted and left alone."""
        observed = scenes.fresh(workplan=scenes.workplan({"suspend": True}))
        assert not any(isinstance(a, Resolve) for a in decided(observed))
        assert decide(scenes.told(observed), later(99)) == ()

    def test_resuming_starts_anew_from_the_store(self) -> None:
        """After a resume the plan is resolved again, and the suspended time is remembered."""
        observed = scenes.with_spec(scenes.told(scenes.fresh()), suspend=True)
        observed = scenes.with_spec(scenes.told(observed, later(10)), suspend=False)
        assert Resolve() in decided(observed, later(30))
        status = written(observed, later(30))
        assert (status.suspend_time, status.suspended_seconds) == (None, 20.0)

    def test_does_not_count_against_deadlines(self) -> None:
        """The active deadline leaves suspended time out."""
        plan = scenes.workplan({"activeDeadlineSeconds": 15})
        observed = scenes.with_spec(scenes.told(scenes.fresh(workplan=plan)), suspend=True)
        observed = scenes.with_spec(scenes.told(observed, later(10)), suspend=False)
        observed = scenes.told(observed, later(1000))
        assert states(observed.workplan.status)["Succeeded"][0] == "Unknown"
        assert states(written(observed, later(1005)))["Stalled"] == ("True", "DeadlineExceeded")

    def test_resets_counts_but_not_progress(self) -> None:
        """On resume, counts start from the store, while the progress text never goes down."""
        observed = scenes.replace(
            scenes.running(), runner=None, cluster=None, scheduler=None, pods=(), group=None
        )
        parts = [a.part for a in decided(observed) if isinstance(a, WriteRun)]
        assert [(p["operations"]["computed"], p["progress"]) for p in parts] == [(0, "5/12")]

    def test_keeps_what_was_last_known_of_the_store(self) -> None:
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


class TestDeadlines:
    """startDeadlineSeconds and activeDeadlineSeconds."""

    def test_active(self) -> None:
        """A run beyond its active deadline fails, and all its pods go."""
        plan = scenes.workplan({"activeDeadlineSeconds": 60})
        observed = scenes.running(workplan=plan, autoscaler=scenes.scaler(0, deleting=START))
        assert not children(observed, later(59))
        assert states(written(observed, later(60)))["Stalled"] == ("True", "DeadlineExceeded")
        assert {a.child for a in children(observed, later(60)) if isinstance(a, Delete)} == {
            Child.CLUSTER, Child.RUNNER,
        }  # fmt: skip

    def test_start_ends_a_run_whose_runner_is_refused(self) -> None:
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

    def test_start_names_what_was_missing(self) -> None:
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

    def test_start_is_over_once_a_worker_was_ready(self) -> None:
        """A worker that was ready once ends the start deadline for good."""
        plan = scenes.workplan({"startDeadlineSeconds": 30})
        observed = scenes.told(scenes.running(workplan=plan), later(5))
        observed = scenes.replace(observed, pods=())
        assert observed.workplan.status.workers_ready_time is not None
        assert states(scenes.told(observed, later(99)).workplan.status)["Succeeded"][0] == "Unknown"

    def test_start_holds_for_what_is_waited_for(self) -> None:
        """A source that does not come in time ends the WorkPlan with words about it."""
        plan = scenes.workplan({"startDeadlineSeconds": 30})
        blocked = Blocked("SourceUnavailable", "ConfigMap plans is missing", later(40))
        observed = scenes.fresh(workplan=plan, resolution=blocked)
        observed = scenes.told(observed)
        status = written(observed, later(30))
        assert status.reason == "StartDeadlineExceeded"
        assert "ConfigMap plans is missing" in (status.message or "")

    def test_start_holds_while_the_runner_waits(self) -> None:
        """Ready workers are no start while the runner cannot get at its plan or its store."""
        plan = scenes.workplan({"startDeadlineSeconds": 30})
        waiting = Waiting(reason="StoreAccessDenied", message="wrong key")
        parts = {"operations": scenes.COUNTS, "waiting": waiting}
        observed = scenes.running(workplan=plan, status=parts)
        status = written(observed, later(31))
        assert status.reason == "StartDeadlineExceeded"
        assert "wrong key" in (status.message or "")

    def test_are_looked_at_in_time(self) -> None:
        """The next look comes no later than the deadline."""
        plan = scenes.workplan({"activeDeadlineSeconds": 10})
        observed = scenes.running(workplan=plan)
        assert LookAgain(4.0) in decide(observed, later(6))


class TestTimeToLive:
    """ttlSecondsAfterFinished."""

    @pytest.mark.parametrize("ttl", [20, {"succeeded": 20, "failed": 500}])
    def test_ends_a_finished_workplan(self, ttl: object) -> None:
        """A finished WorkPlan goes when its time is over, and not before."""
        plan = scenes.workplan({"ttlSecondsAfterFinished": ttl})
        observed = scenes.told(scenes.fresh(workplan=plan, resolution=KNOWN))
        assert decide(observed, later(19)) == (Forget(), LookAgain(1.0))
        assert DeleteWorkPlan() in decide(observed, later(20))

    def test_is_for_ever_by_default(self) -> None:
        """Without a time to live a finished WorkPlan is left alone."""
        observed = scenes.told(scenes.fresh(resolution=KNOWN))
        observed = scenes.replace(observed, resolution=Unresolved())
        assert decide(observed, later(1e9)) == ()


class TestTroubles:
    """What keeps pods from working, in words."""

    @pytest.mark.parametrize(
        "reason", ["ImagePullFailed", "Unschedulable", "PodRejected", "OutOfMemory"]
    )
    def test_of_a_worker_that_is_not_ready(self, reason: str) -> None:
        """The trouble of the only worker is the cluster's."""
        bad = scenes.pod(ready=False, troubles=(scenes.trouble(reason, "why"),))
        observed = scenes.running(pods=(bad,))
        found = scenes.told(observed, later(1)).workplan.status
        assert states(found)["ClusterReady"] == ("False", reason)

    def test_of_one_worker_among_others_is_no_matter(self) -> None:
        """While others work, a worker that finds no node does not make the cluster unready."""
        bad = scenes.pod(name="q", ready=False, troubles=(scenes.trouble("Unschedulable"),))
        found = scenes.told(scenes.running(pods=(scenes.pod(), bad))).workplan.status
        assert states(found)["ClusterReady"] == ("True", "ClusterRunning")

    @pytest.mark.parametrize("reason", ["ImagePullFailed", "Unschedulable", "PodRejected"])
    def test_of_the_runner_is_told_whatever_the_workers_do(self, reason: str) -> None:
        """Ready workers wait in vain for a runner that cannot start: that is said."""
        bad = scenes.pod("runner", "r", ready=False, troubles=(scenes.trouble(reason, "why"),))
        found = scenes.told(scenes.running(pods=(scenes.pod(), bad))).workplan.status
        assert states(found)["ClusterReady"] == ("False", reason)

    def test_of_a_runner_that_was_replaced_is_over(self) -> None:
        """What ended an earlier runner pod is no trouble of the one that works."""
        old = scenes.pod(
            "runner", "r0", ready=False, finished=True, troubles=(scenes.trouble("WorkerLost"),)
        )
        pods = (scenes.pod(), old, scenes.pod("runner", "r1"))
        found = scenes.told(scenes.running(pods=pods, runner=scenes.job(attempts=2)))
        assert states(found.workplan.status)["ClusterReady"] == ("True", "ClusterRunning")

    def test_of_a_runner_that_gets_no_pod(self) -> None:
        """A Job whose pods are refused (by a quota, say) is told after some seconds."""
        refused = scenes.job(attempts=0, active=0)
        observed = scenes.running(runner=refused, pods=(scenes.pod(),))
        found = scenes.told(observed, later(5)).workplan.status
        assert states(found)["ClusterReady"] == ("True", "ClusterRunning")
        status = written(observed, later(10))
        assert states(status)["ClusterReady"] == ("False", "PodRejected")
        told = next(c.message for c in status.conditions if c.type == "ClusterReady")
        assert "quota" in told
        assert "kubectl describe job/j" in told

    def test_is_in_the_message_while_nothing_is_computed(self) -> None:
        """What keeps a run from its work stands where `kubectl describe` is read first."""
        killed = scenes.pod(ready=False, troubles=(scenes.trouble("OutOfMemory", "limit 1Gi"),))
        counts = msgspec.structs.replace(scenes.COUNTS, pending=10)
        observed = scenes.told(scenes.running(), operations=counts)
        assert observed.workplan.status.workers_ready_time is not None
        status = written(scenes.replace(observed, pods=(killed,)), later(5))
        assert status.message == "No worker is ready. limit 1Gi"
        status = written(scenes.replace(observed, pods=(scenes.pod(),)), later(5))
        assert status.message == "The runner is on its way."

    def test_out_of_memory_is_remembered_while_the_run_goes_on(self) -> None:
        """A worker killed for memory is told until the end, also when others go on."""
        killed = scenes.pod(troubles=(scenes.trouble("OutOfMemory", "limit 1Gi"),))
        observed = scenes.told(scenes.running(pods=(killed,)))
        assert states(observed.workplan.status)["ClusterReady"] == ("True", "OutOfMemory")
        observed = scenes.told(scenes.replace(observed, pods=(scenes.pod(),)))
        assert states(observed.workplan.status)["ClusterReady"] == ("True", "OutOfMemory")

    def test_lost_scheduler(self) -> None:
        """A scheduler that was there and is gone is told, and nothing is torn down."""
        gone = scenes.replace(scenes.running(), scheduler=scenes.scheduler(available=0), pods=())
        assert states(written(gone))["ClusterReady"] == ("False", "SchedulerLost")
        assert not children(gone)

    def test_missing_dask_operator(self) -> None:
        """A cluster that nobody reacts to is told after a while, not waited for in silence."""
        observed = scenes.told(
            scenes.replace(
                scenes.told(scenes.fresh()), resolution=WORK, cluster=scenes.cluster(),
                runner=scenes.job(),
            )
        )  # fmt: skip
        assert states(observed.workplan.status)["ClusterReady"][1] == "ClusterStarting"
        found = written(observed, later(15))
        assert states(found)["ClusterReady"] == ("False", "DaskOperatorMissing")

    def test_refused_children(self) -> None:
        """What the API server says no to is told in its words."""
        observed = scenes.replace(
            scenes.told(scenes.fresh()),
            resolution=WORK,
            refusals=(scenes.trouble("PodRejected", "exceeded quota"),),
        )
        assert states(written(observed))["ClusterReady"] == ("False", "PodRejected")

    def test_cluster_that_cannot_go(self) -> None:
        """A finalizer that nobody takes away is told, also after the end."""
        observed = scenes.told(scenes.running(status={"outcome": finished()}), outcome=finished())
        observed = scenes.replace(observed, cluster=scenes.cluster(deleting=START))
        found = written(observed, later(31))
        assert states(found)["ClusterReady"] == ("False", "DaskOperatorMissing")
        assert states(found)["Succeeded"] == ("True", "AllGoalsReached")


class TestRecovery:
    """Repairs of what the dask operator leaves behind."""

    def test_missing_worker_group(self) -> None:
        """A cluster without its default worker group is deleted, to be made again."""
        observed = scenes.replace(scenes.running(), group=None)
        assert not children(observed, later(10))
        assert [type(a) for a in children(observed, later(15))] == [Delete]

    def test_deleted_cluster_is_made_again(self) -> None:
        """A run whose cluster is gone gets a new one; its runner stays."""
        observed = scenes.replace(
            scenes.running(), cluster=None, group=None, scheduler=None, autoscaler=None, pods=()
        )
        assert children(observed) == (CreateAccess(), CreateCluster(3))
        forgotten = scenes.replace(observed, resolution=Unresolved())
        assert Resolve() in decided(forgotten)
        assert not children(forgotten)

    def test_cluster_that_goes_is_not_disturbed(self) -> None:
        """While a cluster is being deleted nothing is made in its place."""
        going = scenes.cluster(deleting=START)
        assert not children(scenes.replace(scenes.running(), cluster=going, group=None))

    def test_leaked_workers(self) -> None:
        """Pending workers beyond the group's replicas go, the newest first; ready ones stay."""
        workers = (
            scenes.worker("a"),
            scenes.worker("b", available=0, created=later(1)),
            scenes.worker("c", available=0, created=later(2)),
        )
        observed = scenes.replace(scenes.running(), workers=workers, group=scenes.group(2))
        assert not children(observed, later(50))
        assert [a.name for a in children(observed, later(70)) if isinstance(a, Delete)] == ["c"]

    def test_operator_restart_leaves_a_run_alone(self) -> None:
        """A new operator that finds a run under way does not look into its plan."""
        assert decided(scenes.replace(scenes.running(), resolution=Unresolved())) == ()

    def test_cluster_with_refused_credentials(self) -> None:
        """Workers with credentials that a runner was refused are replaced; newer ones stay."""
        ended = scenes.pod("runner", "r0", ready=False, finished=True, refused=later(30))
        observed = scenes.running(pods=(scenes.pod(), ended))
        (first,) = children(observed, later(31))
        assert isinstance(first, Delete)
        assert first.child is Child.AUTOSCALER
        (gone,) = children(scenes.replace(observed, autoscaler=None), later(31))
        assert isinstance(gone, Delete)
        assert gone.child is Child.CLUSTER
        renewed = scenes.replace(observed, cluster=scenes.cluster(created=later(31)))
        assert children(renewed, later(32)) == ()

    def test_cluster_waits_for_the_next_runner(self) -> None:
        """After refused credentials no worker starts before the runner that reads them anew."""
        ended = scenes.pod("runner", "r0", ready=False, finished=True, refused=later(30))
        observed = scenes.running(pods=(ended,), cluster=None, scheduler=None, autoscaler=None)
        assert CreateCluster not in map(type, children(observed, later(31)))
        observed = scenes.replace(observed, pods=(ended, scenes.pod("runner", "r1")))
        assert CreateCluster in map(type, children(observed, later(32)))


def cluster_ready(observed: Observed, now: datetime) -> tuple[str, str]:
    """Give reason and message of ClusterReady."""
    found = find_condition(written(observed, now).conditions, "ClusterReady")
    assert found is not None
    return found.reason, found.message


class TestRunner:
    """The runner's Job."""

    def test_that_gets_no_pod(self) -> None:
        """What the API server said is told at once; without a word of it, where to look."""
        alone = scenes.running(runner=scenes.job(attempts=0, active=0), pods=())
        refused = scenes.replace(alone, pod_refusal="exceeded quota: q")
        reason, message = cluster_ready(refused, later(1))
        assert (reason, message.endswith("exceeded quota: q")) == ("PodRejected", True)
        reason, message = cluster_ready(alone, later(10))
        assert (reason, "kubectl describe job/j" in message) == ("PodRejected", True)

    def test_that_failed_for_good(self) -> None:
        """A failed Job ends the WorkPlan with the pod's last words."""
        broken = scenes.job(failed=True, attempts=4, active=0, message="exit 1: no route")
        found = written(scenes.running(runner=broken))
        assert states(found)["Stalled"] == ("True", "RunnerFailed")
        assert "no route" in (found.message or "")

    def test_that_is_started_again(self) -> None:
        """A runner that failed before is told of while the next one works."""
        dead = scenes.pod("runner", "r0", ready=False, finished=True, last_words="exit code 1: no")
        again = scenes.job(attempts=2)
        found = scenes.told(scenes.running(runner=again, pods=(dead, scenes.pod()))).workplan
        assert "started 2 times; it last ended with exit code 1: no" in (found.status.message or "")
        assert states(found.status)["Succeeded"][0] == "Unknown"

    def test_that_completed_in_silence(self) -> None:
        """A complete Job without an outcome is given time, then called a failure."""
        silent = scenes.job(complete=True, active=0, ended=START)
        observed = scenes.running(runner=silent)
        assert states(scenes.told(observed, later(5)).workplan.status)["Succeeded"][0] == "Unknown"
        found = written(observed, later(20))
        assert states(found)["Stalled"] == ("True", "RunnerFailed")


@pytest.mark.parametrize("end", ["deadline", "suspension"])
def test_nothing_runs_after_the_runner_was_stopped(end: str) -> None:
    """Once the runner is gone no operation is said to run; what it had told stays."""
    plan = scenes.workplan({"activeDeadlineSeconds": 60} if end == "deadline" else {})
    observed = scenes.running(workplan=plan, status={"results": (), "run_url": "s3://r/runs/x"})
    if end == "suspension":
        observed = scenes.with_spec(observed, suspend=True)
    kept = {"results": (), "run_url": "s3://r/runs/x", "progress": "5/12"}
    counts = observed.workplan.status.operations
    observed = scenes.told(observed, later(60), operations=counts, **kept)
    assert not [a for a in decided(observed, later(61)) if isinstance(a, WriteRun)]
    gone = scenes.replace(
        observed, runner=None, cluster=None, autoscaler=None, pods=(), resolution=Unresolved()
    )
    parts = [a.part for a in decided(gone, later(62)) if isinstance(a, WriteRun)]
    assert len(parts) == 1
    assert (parts[0]["operations"]["running"], parts[0]["operations"]["pending"]) == (0, 7)
    assert (parts[0]["progress"], parts[0]["runURL"]) == ("5/12", "s3://r/runs/x")


def test_results_found_in_the_store_end_a_run_that_lost_its_runner() -> None:
    """What a look-up finds is written once, and nothing older after it."""
    observed = scenes.replace(
        scenes.running(), runner=None, cluster=None, scheduler=None, pods=(), resolution=KNOWN
    )
    parts = [a.part for a in decided(observed, later(9)) if isinstance(a, WriteRun)]
    assert parts == [KNOWN.finished]


def test_end_never_changes() -> None:
    """A finished WorkPlan only takes note of a new spec; its end stays as it is."""
    observed = scenes.told(scenes.fresh(resolution=KNOWN))
    observed = scenes.replace(scenes.with_spec(observed, suspend=True), resolution=Unresolved())
    found = written(observed, later(500))
    assert found.observed_generation == 2
    assert states(found) == states(observed.workplan.status)
    assert found.completion_time == observed.workplan.status.completion_time
    assert found.duration == observed.workplan.status.duration
    assert not children(observed)


def test_deletion_is_left_to_kubernetes() -> None:
    """A WorkPlan that is being deleted is only forgotten."""
    observed = scenes.running()
    resource = observed.workplan
    gone = msgspec.structs.replace(resource.metadata, deletion_timestamp=START)
    observed = scenes.replace(observed, workplan=msgspec.structs.replace(resource, metadata=gone))
    assert decide(observed, later(1)) == (Forget(),)


def test_non_determinism_is_told() -> None:
    """Keys that gave two values make Deterministic False; otherwise it is not there."""
    outcome = finished(non_deterministic=("a" * 64,))
    found = written(scenes.running(status={"outcome": outcome}))
    assert states(found)["Deterministic"] == ("False", "NonDeterministic")
    assert states(found)["Succeeded"][0] == "True"
    assert "Deterministic" not in states(scenes.running().workplan.status)


def test_events_tell_each_transition_once() -> None:
    """A run's events are its transitions, none of them twice."""
    now, told = START, []
    scene = scenes.fresh()
    moments: list[dict[str, Any]] = [
        {},
        {"resolution": WORK},
        {"cluster": scenes.cluster(), "runner": scenes.job(), "group": scenes.group()},
        {"scheduler": scenes.scheduler(), "pods": (scenes.pod(), scenes.pod("runner", "r"))},
    ]
    for moment in moments:
        scene = scenes.replace(scene, **moment)
        told += [a for a in decide(scene, now) if isinstance(a, Record)]
        scene = scenes.told(scene, now)
    scene = scenes.with_status(
        scene, msgspec.structs.replace(scene.workplan.status, outcome=finished())
    )
    told += [a for a in decide(scene, now) if isinstance(a, Record)]
    assert [event.reason for event in told] == [
        "Accepted", "ClusterStarting", "Progressing", "ClusterRunning", "AllGoalsReached",
    ]  # fmt: skip
    assert not any(event.warning for event in told)
