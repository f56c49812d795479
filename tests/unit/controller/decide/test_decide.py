"""The decision at each moment of a WorkPlan's life."""

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
from tests.unit.controller.observed_builders import FULLY_CACHED, START, WORK_LEFT, later
from voxk8s import constants
from voxk8s.api.runner_status import RUNNER_FIELDS
from voxk8s.api.spec import Source, WorkPlanSpec
from voxk8s.api.status import Condition, RunnerStatus, Waiting
from voxk8s.api.workplan import decode_status
from voxk8s.controller.decide.actions import (
    ChildKind,
    DeferStatus,
    DeleteChild,
    EmitEvent,
    ForgetPlan,
    RequeueAfter,
    ResolvePlan,
    WriteOperatorStatus,
    WriteRunnerStatus,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.observe.workplan_codec import UndecodableWorkPlan
from voxk8s.controller.resolve.resolution_state import Blocked, Resolving


def test_new_workplan() -> None:
    """A new WorkPlan is accepted with all its conditions, and its plan is resolved."""
    actions = decided_actions(build.applied())
    assert isinstance(actions[0], ResolvePlan)
    status = written_status(build.applied())
    assert states(status) == {
        "Reconciling": ("True", "Accepted"),
        "Stalled": ("False", "Accepted"),
        "Ready": ("Unknown", "Accepted"),
        "Succeeded": ("Unknown", "Accepted"),
        "StoreReady": ("Unknown", "Accepted"),
        "ClusterReady": ("Unknown", "Accepted"),
    }
    assert (status.observed_generation, status.start_time) == (1, START)
    assert not child_actions(build.applied())


def test_nothing_is_written_twice() -> None:
    """While the plan is being resolved, reconciling again changes nothing."""
    observed = build.with_operator_status(build.applied(resolution=Resolving()))
    assert decided_actions(observed, later(3)) == ()


def test_fully_cached_plan_needs_no_children() -> None:
    """If all results are known, they are written with success; no child is created."""
    observed = build.replace(build.with_operator_status(build.applied()), resolution=FULLY_CACHED)
    actions = decided_actions(observed, later(1))
    assert not any(isinstance(action, WriteRunnerStatus) for action in actions)
    assert isinstance(actions[0], WriteOperatorStatus)
    assert (FULLY_CACHED.final_status or {}).items() <= actions[0].part.items()
    status = written_status(observed, later(1))
    assert states(status)["Succeeded"] == ("True", "AllGoalsReached")
    assert states(status)["Ready"] == ("True", "AllGoalsReached")
    assert states(status)["Reconciling"][0] == "False"
    assert states(status)["StoreReady"] == ("True", "StoreConnected")
    assert states(status)["ClusterReady"] == ("False", "ClusterNotNeeded")
    assert (status.phase, status.duration) == ("Succeeded", "1s")
    assert not child_actions(observed)


@pytest.mark.parametrize(
    ("reason", "condition"),
    [
        (constants.REASON_SOURCE_UNAVAILABLE, "Ready"),
        (constants.REASON_STORE_UNREACHABLE, "StoreReady"),
        (constants.REASON_STORE_ACCESS_DENIED, "StoreReady"),
        (constants.REASON_STORE_FULL, "StoreReady"),
    ],
)
def test_blocked_resolution_is_retried(reason: str, condition: str) -> None:
    """A missing source or store is reported and retried; the WorkPlan is in progress."""
    blocked = Blocked(reason, "not there", retry_at=later(5))
    observed = build.replace(build.with_operator_status(build.applied()), resolution=blocked)
    status = written_status(observed)
    assert states(status)[condition] == ("False", reason)
    assert states(status)["Succeeded"][0] == "Unknown"
    assert states(status)["Reconciling"][0] == "True"
    assert ResolvePlan() not in decide(observed, later(4))
    assert ResolvePlan() in decide(observed, later(5))
    assert RequeueAfter(1.0) in decide(observed, later(4))
    reported = build.with_operator_status(observed)
    assert decided_actions(build.replace(reported, resolution=Resolving(blocked)), later(6)) == ()


def test_runner_that_waits_for_the_store() -> None:
    """A store that the runner waits for makes StoreReady False; no child is deleted."""
    waiting = Waiting(reason="StoreUnreachable", message="x")
    observed = build.with_operator_status(build.running())
    observed = build.with_status(
        observed, msgspec.structs.replace(observed.workplan.status, waiting=waiting)
    )
    assert states(written_status(observed))["StoreReady"] == ("False", "StoreUnreachable")
    assert not child_actions(observed)


def test_runner_that_waits_for_other_runs() -> None:
    """Results that other runs compute for this one are in the message; the run goes on."""
    waiting = Waiting(reason="Progressing", message="WorkPlan a/b computes vox1.pdt.")
    observed = build.running(status={"waiting": waiting})
    status = written_status(observed)
    assert (status.phase, status.reason, status.message) == (
        "Running", "Progressing", "WorkPlan a/b computes vox1.pdt.",
    )  # fmt: skip
    assert states(status)["StoreReady"] == ("True", "StoreConnected")
    dead = build.pod(
        "runner", "r0", ready=False, finished=True, termination_message="exit code 1: no"
    )
    again = build.replace(observed, runner=build.job(attempts=2), pods=(dead, build.pod()))
    assert "its last pod ended with exit code 1: no" in (written_status(again).message or "")


def test_deleted_workplan_that_is_kept_does_not_run_on() -> None:
    """A finalizer of another tool keeps the WorkPlan, not its cluster."""
    observed = build.running()
    resource = observed.workplan
    gone = msgspec.structs.replace(resource.metadata, deletion_timestamp=START)
    observed = build.replace(observed, workplan=msgspec.structs.replace(resource, metadata=gone))
    assert decide(observed, later(1)) == (
        ForgetPlan(),
        DeleteChild(ChildKind.AUTOSCALER, "c", "u-c", "Deleted"),
        DeleteChild(ChildKind.RUNNER, "j", "u-j", "Deleted"),
        RequeueAfter(2.0),
    )
    alone = build.replace(observed, cluster=None, autoscaler=None, runner=None, scheduler=None)
    assert decide(alone, later(1)) == (ForgetPlan(),)


def test_without_caches_nothing_follows_from_absence() -> None:
    """While children cannot be listed, only ClusterReady says so; nothing is created or deleted."""
    observed = build.replace(
        build.running(), cluster=None, runner=None, worker_group=None, scheduler=None, pods=(),
        sync_error="cannot list daskclusters: too many requests",
    )  # fmt: skip
    found = decided_actions(observed, later(60))
    assert [type(action) for action in found] == [WriteOperatorStatus]
    status = written_status(observed, later(60))
    assert states(status)["ClusterReady"] == ("Unknown", "CachesNotSynced")
    assert status.phase == "Running"
    assert states(status)["Ready"] == states(observed.workplan.status)["Ready"]
    new = build.applied(sync_error="cannot list pods: no")
    assert states(written_status(new))["ClusterReady"] == ("Unknown", "CachesNotSynced")
    assert written_status(new).phase == "Resolving"


def test_spec_that_cannot_be_read_ends_nothing() -> None:
    """After a rollback of the operator a run goes on; its status says what it waits for."""
    observed = build.running()
    resource = observed.workplan
    unreadable = UndecodableWorkPlan(
        metadata=msgspec.structs.replace(resource.metadata, generation=2),
        spec=WorkPlanSpec(source=Source()), status=resource.status, decode_error="bad maxWorkers",
    )  # fmt: skip
    observed = build.replace(observed, workplan=unreadable)
    assert child_actions(observed, later(60)) == ()
    status = written_status(observed, later(60))
    assert states(status)["Ready"] == ("False", "SpecNotReadable")
    assert states(status)["Stalled"][0] == "False"
    assert "bad maxWorkers" in (status.message or "")
    assert status.observed_generation == 1, "generation 2 was not understood"


def test_rejected_status_is_reported() -> None:
    """An end whose status the API server rejects is not reported as an end, but with its words."""
    observed = build.replace(
        build.running(status={"outcome": run_outcome()}), status_error="goal: Too long"
    )
    status = written_status(observed)
    assert states(status)["Ready"] == ("False", "StatusRejected")
    assert "goal: Too long" in (status.message or "")
    assert child_actions(observed) == ()


def test_conditions_that_no_longer_apply_are_removed() -> None:
    """Deterministic is there as long as it is False; conditions of other tools are left alone."""
    observed = build.running(status={"outcome": run_outcome(non_deterministic=("k" * 64,))})
    status = written_status(observed)
    assert states(status)["Deterministic"] == ("False", "NonDeterministic")
    foreign = Condition(
        type="Approved", status="True", reason="R", message="", last_transition_time=START
    )
    again = build.with_status(
        observed,
        msgspec.structs.replace(status, outcome=None, conditions=(*status.conditions, foreign)),
    )
    assert {"Deterministic", "Approved"}.isdisjoint(states(written_status(again)))
    same = build.with_operator_status(build.running())
    conditions = (*same.workplan.status.conditions, foreign)
    same = build.with_status(
        same, msgspec.structs.replace(same.workplan.status, conditions=conditions)
    )
    assert not any(isinstance(a, WriteOperatorStatus) for a in decided_actions(same))


def test_events_tell_each_transition_once() -> None:
    """Each transition of a run emits one event."""
    now, emitted = START, []
    observed = build.applied()
    moments: list[dict[str, Any]] = [
        {},
        {"resolution": WORK_LEFT},
        {"cluster": build.cluster(), "runner": build.job(), "worker_group": build.worker_group()},
        {"scheduler": build.scheduler(), "pods": (build.pod(), build.pod("runner", "r"))},
    ]
    for moment in moments:
        observed = build.replace(observed, **moment)
        emitted += [a for a in decide(observed, now) if isinstance(a, EmitEvent)]
        observed = build.with_operator_status(observed, now)
    observed = build.with_status(
        observed, msgspec.structs.replace(observed.workplan.status, outcome=run_outcome())
    )
    emitted += [a for a in decide(observed, now) if isinstance(a, EmitEvent)]
    assert [event.reason for event in emitted] == [
        "ClusterStarting", "Progressing", "ClusterRunning", "AllGoalsReached",
    ]  # fmt: skip
    assert not any(event.warning for event in emitted)


@pytest.mark.parametrize(
    "waiting",
    [
        build.applied(resolution=Resolving()),
        build.applied(resolution=Blocked("SourceUnavailable", "not there", retry_at=later(9999))),
        build.applied(workplan=build.workplan({"suspend": True})),
        build.running(),
        build.running(status={"waiting": Waiting(reason="Progressing", message="another run")}),
        build.running(pods=(build.pod("scheduler", "s"),)),
    ],
)
def test_waiting_causes_no_writes(waiting: Observed) -> None:
    """However long a WorkPlan waits or runs without news, nothing is written."""
    observed = build.with_operator_status(waiting, later(5))
    for seconds in (6, 21, 66, 3600):
        assert decided_actions(observed, later(seconds)) == ()


def test_a_plan_that_is_blocked_is_not_polled() -> None:
    """Until its next attempt nothing can come of it, and there may be thousands."""
    blocked = Blocked("StoreFull", "full", retry_at=later(305))
    observed = build.with_operator_status(build.applied(resolution=blocked), later(5))
    assert decide(observed, later(5)) == (RequeueAfter(60.0),)


def test_a_quick_look_up_is_one_write() -> None:
    """A new WorkPlan's status is first written when it is looked up, or after two seconds."""
    plan = build.workplan()
    metadata = msgspec.structs.replace(plan.metadata, creation_timestamp=START)
    new = build.applied(workplan=msgspec.structs.replace(plan, metadata=metadata))
    assert decide(new, later(0.4)) == (ResolvePlan(), RequeueAfter(2.0))
    waits = build.replace(new, resolution=Resolving())
    assert decide(waits, later(0.4)) == (RequeueAfter(2.0),)
    assert written_status(waits, later(2)).reason == "Accepted"
    crowded = build.replace(waits, crowded=True)
    assert decide(crowded, later(9)) == (RequeueAfter(10.0),)
    accepted = written_status(crowded, later(10))
    assert (accepted.reason, accepted.start_time) == ("Accepted", START)
    over = build.replace(crowded, crowded=False, resolution=FULLY_CACHED)
    assert written_status(over, later(9)).start_time == START, "the crowd has gone meanwhile"
    found = written_status(build.replace(new, resolution=WORK_LEFT), later(0.5))
    assert (found.phase, found.start_time) == ("Starting", START)


def test_known_results_stay_with_every_later_write() -> None:
    """The operator has written them, and server-side apply removes what it leaves out."""
    kept = decode_status({"observedGeneration": 1, **(FULLY_CACHED.final_status or {})})
    parts = {name: getattr(kept, name) for name in RUNNER_FIELDS}
    known = build.with_operator_status(build.applied(resolution=FULLY_CACHED), later(1), **parts)
    edited = build.with_spec(known, suspend=True)
    written = written_status(edited, later(60))
    assert (written.operations, written.results) == (kept.operations, kept.results)
    runner = RunnerStatus(job="j", attempts=1)
    status = msgspec.structs.replace(edited.workplan.status, runner=runner)
    assert written_status(build.with_status(edited, status), later(60)).results is None


def test_changes_that_are_not_urgent_wait() -> None:
    """They are written together, and with whatever is urgent."""
    observed = build.with_operator_status(build.running(), later(5))
    more = build.replace(observed, pods=(*observed.pods, build.pod(name="q")), status_wait=2.5)
    assert decide(more, later(6)) == (DeferStatus(), RequeueAfter(2.5), RequeueAfter(15.0))
    due = build.replace(more, status_wait=0.0)
    assert isinstance(decided_actions(due, later(9))[0], WriteOperatorStatus)
    urgent = build.with_spec(more, suspend=True)
    assert any(isinstance(action, WriteOperatorStatus) for action in decide(urgent, later(6)))


def test_workplans_of_another_controller_are_left_alone() -> None:
    """With the name of another one in spec.managedBy not even a status is written."""
    others = build.workplan({"managedBy": "example.org/dispatcher"})
    for observed in (build.applied(workplan=others), build.running(workplan=others)):
        assert decide(observed, later(99)) == ()
    own = build.applied(workplan=build.workplan({"managedBy": "voxk8s.io/operator"}))
    assert ResolvePlan() in decide(own, later(0))


@pytest.mark.parametrize(("age", "seconds"), [(1, 2.0), (40, 5.0), (400, 15.0)])
def test_a_run_that_starts_is_polled_less_and_less(age: float, seconds: float) -> None:
    """Hundreds that wait for a node must not keep the operator busy; changes wake it anyway."""
    observed = build.applied(cluster=build.cluster(), runner=build.job(), resolution=WORK_LEFT)
    waits = build.with_operator_status(observed, later(age))
    assert [each for each in decide(waits, later(age)) if isinstance(each, RequeueAfter)] == [
        RequeueAfter(seconds)
    ]
