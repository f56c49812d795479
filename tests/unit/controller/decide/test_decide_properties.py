"""Properties of the decision that hold for any sequence of events in a WorkPlan's life."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.support import kstatus
from tests.support.properties import examples
from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import FULLY_CACHED, START, WORK_LEFT, later
from voxk8s.api.conditions import find_condition
from voxk8s.api.runner_status import RUNNER_FIELDS, parse_finished, progress_text
from voxk8s.api.status import Outcome, Waiting, WorkPlanStatus
from voxk8s.api.workplan import decode_status, encode
from voxk8s.controller.decide.actions import (
    Action,
    ApplyAutoscaler,
    ChildKind,
    CreateAccess,
    CreateCluster,
    CreateRunner,
    CreateWorkerGroup,
    DeleteChild,
    DeleteWorkPlan,
    EmitEvent,
    ForgetPlan,
    RequeueAfter,
    ResolvePlan,
    RestartRun,
    WriteOperatorStatus,
    WriteRunnerStatus,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.decide.status import has_runner_part
from voxk8s.controller.resolve.resolution_state import Blocked, Invalid, Resolving, Unresolved


class Simulation:
    """A cluster with one WorkPlan: carries actions out and records every status."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.observed = build.applied(workplan=build.workplan(spec))
        self.seconds = 0.0
        self.deleted = False
        self.owns_results = False
        self.actions: list[Action] = []
        self.states: list[WorkPlanStatus] = []
        self.generations: list[tuple[int, WorkPlanStatus]] = []

    @property
    def now(self) -> datetime:
        """The current time."""
        return later(self.seconds)

    def settle(self) -> None:
        """Reconcile until no action is decided, within a bounded number of rounds."""
        for _ in range(12):
            if self.deleted:
                return
            actions = [
                a for a in decide(self.observed, self.now) if not isinstance(a, RequeueAfter)
            ]
            if not actions:
                return
            for action in actions:
                self.apply(action)
        raise AssertionError(f"no end: {actions}")

    def apply(self, action: Action) -> None:
        """Apply the effect of an action."""
        self.actions.append(action)
        match action:
            case ResolvePlan():
                self.change(resolution=Resolving())
            case ForgetPlan():
                self.change(resolution=Unresolved())
            case CreateCluster(workers, groups):
                assert self.observed.cluster is None
                assert self.observed.access is not None
                made = build.cluster(workers=workers, groups=groups, created=self.now)
                self.change(cluster=made)
            case CreateWorkerGroup(name, workers):
                assert self.observed.cluster is not None
                assert self.observed.cluster.groups[name] == workers
                group = build.worker_group(workers, name=f"c-{name}", group=name, created=self.now)
                self.change(worker_groups=(*self.observed.worker_groups, group))
            case CreateRunner():
                assert self.observed.runner is None
                assert self.observed.access is not None
                self.change(runner=build.job(created=self.now))
            case ApplyAutoscaler(minimum, maximum):
                self.change(autoscaler=build.autoscaler(minimum, maximum))
            case DeleteChild(ChildKind.CLUSTER):
                self.change(
                    cluster=None,
                    scheduler=None,
                    worker_group=None,
                    worker_groups=(),
                    autoscaler=None,
                    workers=(),
                    pods=(),
                )
            case DeleteChild(ChildKind.AUTOSCALER):
                self.change(autoscaler=None)
            case DeleteChild(ChildKind.RUNNER):
                self.change(runner=None)
            case DeleteChild(ChildKind.WORKER):
                self.change(workers=())
            case DeleteChild(ChildKind.ACCESS):
                assert self.observed.cluster is None
                self.change(access=None)
            case DeleteWorkPlan():
                self.deleted = True
            case WriteRunnerStatus(part):
                new = decode_status({"observedGeneration": 0, **part})
                self.status({name: getattr(new, name) for name in RUNNER_FIELDS})
            case WriteOperatorStatus(part):
                old = self.observed.workplan.status
                new = decode_status(part)
                if not has_runner_part(new) and not self.owns_results:
                    kept = {name: getattr(old, name) for name in RUNNER_FIELDS}
                    new = msgspec.structs.replace(new, **kept)
                self.owns_results = has_runner_part(decode_status(part))
                self.put(new)
            case RestartRun(part):
                assert self.observed.runner is None
                self.status(dict.fromkeys(RUNNER_FIELDS))
                self.put(decode_status(part))
            case CreateAccess():
                self.change(access=build.access())
            case EmitEvent() | RequeueAfter():
                pass

    def change(self, **parts: Any) -> None:
        """Change fields of the observation."""
        self.observed = dataclasses.replace(self.observed, **parts)

    def status(self, parts: dict[str, Any]) -> None:
        """Change fields of the status, as the runner does."""
        self.put(msgspec.structs.replace(self.observed.workplan.status, **parts))

    def put(self, status: WorkPlanStatus) -> None:
        """Replace the status and record it."""
        self.observed = build.with_status(self.observed, status)
        self.states.append(status)
        self.generations.append((self.observed.workplan.metadata.generation, status))


Event = Callable[[Simulation], None]


def looked_up(resolution: Any) -> Event:
    """Make the resolution of the plan end."""

    def event(simulation: Simulation) -> None:
        if isinstance(simulation.observed.resolution, Resolving):
            found = resolution
            if isinstance(found, Blocked):
                found = dataclasses.replace(found, retry_at=later(simulation.seconds + 2))
            simulation.change(resolution=found)

    return event


def passes(seconds: float) -> Event:
    """Let time pass."""

    def event(simulation: Simulation) -> None:
        simulation.seconds += seconds

    return event


def suspends(flag: bool) -> Event:
    """Suspend or resume, as a user does."""

    def event(simulation: Simulation) -> None:
        if simulation.observed.workplan.spec.suspend != flag:
            simulation.observed = build.with_spec(simulation.observed, suspend=flag)

    return event


def scheduler(available: int) -> Event:
    """Make the scheduler available or not."""

    def event(simulation: Simulation) -> None:
        if simulation.observed.cluster is not None:
            simulation.change(
                scheduler=build.scheduler(available=available, created=simulation.now),
                worker_group=build.worker_group(simulation.observed.cluster.workers),
            )

    return event


def workers(ready: bool, reason: str | None = None, group: str = "") -> Event:
    """A worker gets ready, or into problem."""

    def event(simulation: Simulation) -> None:
        if simulation.observed.cluster is not None:
            problems = (build.problem(reason),) if reason else ()
            pod = build.pod(name=group or "p", group=group, ready=ready, problems=problems)
            others = (each for each in simulation.observed.pods if each.group != group)
            simulation.change(pods=(*others, pod))

    return event


def computes(done: int) -> Event:
    """Report progress, as the runner does."""

    def event(simulation: Simulation) -> None:
        if simulation.observed.runner is not None and not ended(simulation):
            counts = msgspec.structs.replace(
                build.COUNTS, computed=done, running=1, pending=9 - done
            )
            before = simulation.observed.workplan.status.progress
            simulation.status(
                {"operations": counts, "progress": progress_text(before, 2 + done, 12)}
                | {"waiting": None}
            )

    return event


def waits(simulation: Simulation) -> None:
    """Report that the runner waits for the store."""
    if simulation.observed.runner is not None and not ended(simulation):
        simulation.status({"waiting": Waiting(reason="StoreUnreachable", message="away")})


def ends(state: str) -> Event:
    """Write the outcome and complete the Job, as the runner does."""

    def event(simulation: Simulation) -> None:
        runner = simulation.observed.runner
        if runner is None or ended(simulation) or simulation.observed.workplan.status.outcome:
            return
        good = state == "Succeeded"
        outcome = Outcome(
            state="Succeeded" if good else "Failed",
            reason="AllGoalsReached" if good else "OperationFailed",
        )
        counts = msgspec.structs.replace(build.COUNTS, computed=10 if good else 3, pending=0)
        progress = progress_text(
            simulation.observed.workplan.status.progress, 12 if good else 5, 12
        )
        simulation.status(
            {"operations": counts, "progress": progress, "results": (), "outcome": outcome}
            | {"waiting": None}
        )
        simulation.change(runner=build.job(complete=True, ended=simulation.now))

    return event


def runner_breaks(simulation: Simulation) -> None:
    """Make the runner's Job fail."""
    if simulation.observed.runner is not None and not simulation.observed.runner.finished:
        simulation.change(runner=build.job(failed=True, attempts=7))


def operator_restarts(simulation: Simulation) -> None:
    """Drop what the operator keeps in memory."""
    simulation.change(resolution=Unresolved(), create_errors=())


def refuses(simulation: Simulation) -> None:
    """Make the API server reject children, or accept them again."""
    again = () if simulation.observed.create_errors else (build.problem("PodRejected"),)
    simulation.change(create_errors=again)


def asks_again(simulation: Simulation) -> None:
    """Set another value of the annotation, as a user does."""
    resource = simulation.observed.workplan
    token = {"voxk8s.io/retry": f"{simulation.seconds} {len(simulation.states)}"}
    metadata = msgspec.structs.replace(resource.metadata, annotations=token)
    simulation.change(workplan=msgspec.structs.replace(resource, metadata=metadata))


def ended(simulation: Simulation) -> bool:
    """Whether the status has a completion time."""
    return simulation.observed.workplan.status.completion_time is not None


ALL_KNOWN = dataclasses.replace(
    FULLY_CACHED,
    final_status={
        **(FULLY_CACHED.final_status or {}),
        "operations": {
            "total": 12, "cached": 12, "computed": 0, "failed": 0, "running": 0, "pending": 0,
        },
        "progress": "12/12",
    },
)  # fmt: skip
"""The plan of `WORK_LEFT` when all of it is in the store."""
WITH_GROUP = dataclasses.replace(WORK_LEFT, groups={"gpu": 2})
"""The same plan where some of it needs a group."""
EVENTS: list[Event] = [
    *(looked_up(r) for r in (WORK_LEFT, WITH_GROUP, ALL_KNOWN, Invalid("InvalidPlan", "$"))),
    *(looked_up(Blocked(r, "x", START)) for r in ("SourceUnavailable", "StoreUnreachable")),
    *(passes(s) for s in (0.5, 5, 20, 70)),
    suspends(True), suspends(False),
    scheduler(1), scheduler(0),
    workers(True), workers(False, "ImagePullFailed"), workers(True, "OutOfMemory"),
    workers(True, group="gpu"), workers(False, "Unschedulable", group="gpu"),
    computes(1), computes(4), waits,
    ends("Succeeded"), ends("Failed"),
    runner_breaks, operator_restarts, refuses,
]  # fmt: skip
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "suspend": st.booleans(),
        "startDeadlineSeconds": st.sampled_from([1, 30, 60]),
        "activeDeadlineSeconds": st.sampled_from([10, 90]),
        "ttlSecondsAfterFinished": st.sampled_from([0, 15]),
        "cluster": st.fixed_dictionaries(
            {"workerGroups": st.just([{"name": "gpu", "maxWorkers": 2}])},
            optional={"minWorkers": st.integers(0, 3), "maxWorkers": st.integers(3, 6)},
        ),
    },
)
EVENT_LISTS = st.lists(st.sampled_from(EVENTS), max_size=25)
SEVERAL_RUNS = st.lists(st.sampled_from([*EVENTS, asks_again]), max_size=25)


def simulate(spec: dict[str, Any], events: list[Event]) -> Simulation:
    """Apply events to a WorkPlan, and reconcile after each."""
    simulation = Simulation(spec)
    simulation.settle()
    for event in events:
        if simulation.deleted:
            break
        event(simulation)
        simulation.settle()
    return simulation


def kstatus_of(generation: int, status: WorkPlanStatus) -> str:
    """Return the kstatus of a status."""
    body = {
        "metadata": {"generation": generation},
        "status": {"observedGeneration": status.observed_generation, **encode(status)},
    }
    return kstatus.read(body)


def succeeded_status(status: WorkPlanStatus) -> str:
    """Return the status of the condition Succeeded."""
    found = find_condition(status.conditions, "Succeeded")
    return found.status if found else "Unknown"


@examples(300)
@given(SPECS, SEVERAL_RUNS)
def test_kstatus_agrees_with_the_conditions(spec: dict[str, Any], events: list[Event]) -> None:
    """Kstatus is Current exactly after success and Failed exactly after failure."""
    for generation, status in simulate(spec, events).generations:
        found = kstatus_of(generation, status)
        if status.observed_generation != generation:
            assert found == "InProgress"
            continue
        assert (
            found
            == {"True": "Current", "False": "Failed", "Unknown": "InProgress"}[
                succeeded_status(status)
            ]
        )


@examples(300)
@given(SPECS, EVENT_LISTS)
def test_an_end_never_changes(spec: dict[str, Any], events: list[Event]) -> None:
    """Once Succeeded is True or False, status, reason and completion time stay."""
    end = None
    for status in simulate(spec, events).states:
        found = find_condition(status.conditions, "Succeeded")
        if end is not None:
            assert found is not None
            assert (found.status, found.reason, status.completion_time) == end
        elif found is not None and found.status != "Unknown":
            end = (found.status, found.reason, status.completion_time)
            assert status.completion_time is not None


@examples(300)
@given(SPECS, EVENT_LISTS)
def test_progress_never_goes_down(spec: dict[str, Any], events: list[Event]) -> None:
    """The number of finished operations never decreases."""
    done = [
        parse_finished(status.progress)
        for status in simulate(spec, events).states
        if status.progress
    ]
    assert done == sorted(done)


@examples(300)
@given(SPECS, SEVERAL_RUNS)
def test_ended_runs_have_no_children(spec: dict[str, Any], events: list[Event]) -> None:
    """Ended and suspended runs have no cluster, autoscaler or active runner."""
    simulation = simulate(spec, events)
    if simulation.observed.resolution == ALL_KNOWN:
        assert ended(simulation)
    if simulation.deleted:
        return
    over = ended(simulation) or simulation.observed.workplan.spec.suspend
    if over:
        assert simulation.observed.cluster is None
        assert simulation.observed.autoscaler is None
        runner = simulation.observed.runner
        assert runner is None or runner.finished


@examples(200)
@given(SPECS, EVENT_LISTS)
def test_fully_cached_plans_get_no_children(spec: dict[str, Any], events: list[Event]) -> None:
    """For a plan whose results are all known no child is created."""
    known = looked_up(ALL_KNOWN)
    kept = [event for event in events if event.__qualname__ != known.__qualname__]
    simulation = simulate(spec, [*kept, known])
    made = (CreateAccess, CreateCluster, CreateRunner, ApplyAutoscaler)
    assert not any(isinstance(action, made) for action in simulation.actions)


@examples(200)
@given(SPECS, SEVERAL_RUNS)
def test_all_conditions_are_always_present(spec: dict[str, Any], events: list[Event]) -> None:
    """Every written status has all conditions, each with a reason."""
    for status in simulate(spec, events).states:
        kinds = {condition.type for condition in status.conditions}
        assert kinds >= {"Ready", "Succeeded", "StoreReady", "ClusterReady", "Reconciling"}
        assert all(condition.reason for condition in status.conditions)


@examples(200)
@given(SPECS, EVENT_LISTS)
def test_active_workplans_are_requeued(spec: dict[str, Any], events: list[Event]) -> None:
    """An active WorkPlan is always requeued within the heartbeat."""
    simulation = simulate(spec, events)
    if simulation.deleted or ended(simulation) or simulation.observed.workplan.spec.suspend:
        return
    waits = [
        a.seconds
        for a in decide(simulation.observed, simulation.now)
        if isinstance(a, RequeueAfter)
    ]
    assert waits
    assert min(waits) <= 15
