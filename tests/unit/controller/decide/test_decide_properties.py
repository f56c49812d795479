"""Properties of the decision over whole lives of WorkPlans: whatever happens, in any order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import kstatus
from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import FULLY_CACHED, START, WORK_LEFT, later
from voxk8s import api
from voxk8s.api import (
    RUNNER_FIELDS,
    Outcome,
    Waiting,
    WorkPlanStatus,
    decode_status,
    parse_finished,
)
from voxk8s.controller.decide.actions import (
    Action,
    ApplyAutoscaler,
    ChildKind,
    CreateAccess,
    CreateCluster,
    CreateRunner,
    DeleteChild,
    DeleteWorkPlan,
    EmitEvent,
    ForgetPlan,
    RequeueAfter,
    ResolvePlan,
    WriteOperatorStatus,
    WriteRunnerStatus,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.resolve.resolution_state import Blocked, Invalid, Resolving, Unresolved


class World:
    """A cluster with one WorkPlan: carries actions out, and keeps every state it was in."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.observed = build.applied(workplan=build.workplan(spec))
        self.seconds = 0.0
        self.gone = False
        self.actions: list[Action] = []
        self.states: list[WorkPlanStatus] = []
        self.generations: list[tuple[int, WorkPlanStatus]] = []

    @property
    def now(self) -> datetime:
        """The time."""
        return later(self.seconds)

    def settle(self) -> None:
        """Reconcile until nothing is left to do; that must not take long."""
        for _ in range(12):
            if self.gone:
                return
            actions = [
                a for a in decide(self.observed, self.now) if not isinstance(a, RequeueAfter)
            ]
            if not actions:
                return
            for action in actions:
                self.carry_out(action)
        raise AssertionError(f"no end: {actions}")

    def carry_out(self, action: Action) -> None:
        """Do to the world what an action does to a cluster."""
        self.actions.append(action)
        match action:
            case ResolvePlan():
                self.change(resolution=Resolving())
            case ForgetPlan():
                self.change(resolution=Unresolved())
            case CreateCluster(workers):
                assert self.observed.cluster is None
                self.change(cluster=build.cluster(workers=workers, created=self.now))
            case CreateRunner():
                assert self.observed.runner is None
                self.change(runner=build.job(created=self.now))
            case ApplyAutoscaler(minimum, maximum):
                self.change(autoscaler=build.autoscaler(minimum, maximum))
            case DeleteChild(ChildKind.CLUSTER):
                self.change(
                    cluster=None,
                    scheduler=None,
                    worker_group=None,
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
            case DeleteWorkPlan():
                self.gone = True
            case WriteRunnerStatus(part):
                new = decode_status({"observedGeneration": 0, **part})
                self.status({name: getattr(new, name) for name in RUNNER_FIELDS})
            case WriteOperatorStatus(part):
                old = self.observed.workplan.status
                kept = {name: getattr(old, name) for name in RUNNER_FIELDS}
                self.put(msgspec.structs.replace(decode_status(part), **kept))
            case CreateAccess() | EmitEvent() | RequeueAfter():
                pass

    def change(self, **parts: Any) -> None:
        """Change what is observed."""
        self.observed = dataclasses.replace(self.observed, **parts)

    def status(self, parts: dict[str, Any]) -> None:
        """Change parts of the status, as the runner does."""
        self.put(msgspec.structs.replace(self.observed.workplan.status, **parts))

    def put(self, status: WorkPlanStatus) -> None:
        """Replace the status and remember it."""
        self.observed = build.with_status(self.observed, status)
        self.states.append(status)
        self.generations.append((self.observed.workplan.metadata.generation, status))


Event = Callable[[World], None]


def looked_up(resolution: Any) -> Event:
    """The look-up of the plan ends."""

    def event(world: World) -> None:
        if isinstance(world.observed.resolution, Resolving):
            found = resolution
            if isinstance(found, Blocked):
                found = dataclasses.replace(found, retry_at=later(world.seconds + 2))
            world.change(resolution=found)

    return event


def passes(seconds: float) -> Event:
    """Time passes."""

    def event(world: World) -> None:
        world.seconds += seconds

    return event


def suspends(flag: bool) -> Event:
    """The user suspends or resumes."""

    def event(world: World) -> None:
        if world.observed.workplan.spec.suspend != flag:
            world.observed = build.with_spec(world.observed, suspend=flag)

    return event


def scheduler(available: int) -> Event:
    """The scheduler comes or goes."""

    def event(world: World) -> None:
        if world.observed.cluster is not None:
            world.change(
                scheduler=build.scheduler(available=available, created=world.now),
                worker_group=build.worker_group(world.observed.cluster.workers),
            )

    return event


def workers(ready: bool, reason: str | None = None) -> Event:
    """A worker gets ready, or into problem."""

    def event(world: World) -> None:
        if world.observed.cluster is not None:
            problems = (build.problem(reason),) if reason else ()
            world.change(pods=(build.pod(ready=ready, problems=problems),))

    return event


def computes(done: int) -> Event:
    """The runner tells of its progress."""

    def event(world: World) -> None:
        if world.observed.runner is not None and not ended(world):
            counts = msgspec.structs.replace(
                build.COUNTS, computed=done, running=1, pending=9 - done
            )
            before = world.observed.workplan.status.progress
            world.status(
                {"operations": counts, "progress": api.progress_text(before, 2 + done, 12)}
                | {"waiting": None}
            )

    return event


def waits(world: World) -> None:
    """The runner waits for the store."""
    if world.observed.runner is not None and not ended(world):
        world.status({"waiting": Waiting(reason="StoreUnreachable", message="away")})


def ends(state: str) -> Event:
    """The runner says how the run ended, and completes."""

    def event(world: World) -> None:
        runner = world.observed.runner
        if runner is None or ended(world) or world.observed.workplan.status.outcome:
            return
        good = state == "Succeeded"
        outcome = Outcome(
            state="Succeeded" if good else "Failed",
            reason="AllGoalsReached" if good else "OperationFailed",
        )
        counts = msgspec.structs.replace(build.COUNTS, computed=10 if good else 3, pending=0)
        progress = api.progress_text(world.observed.workplan.status.progress, 12 if good else 5, 12)
        world.status(
            {"operations": counts, "progress": progress, "results": (), "outcome": outcome}
            | {"waiting": None}
        )
        world.change(runner=build.job(complete=True, ended=world.now))

    return event


def runner_breaks(world: World) -> None:
    """The runner's Job fails for good."""
    if world.observed.runner is not None and not world.observed.runner.finished:
        world.change(runner=build.job(failed=True, attempts=7))


def operator_restarts(world: World) -> None:
    """What the operator keeps in memory is lost."""
    world.change(resolution=Unresolved(), create_errors=())


def refuses(world: World) -> None:
    """The API server refuses children, or takes them again."""
    again = () if world.observed.create_errors else (build.problem("PodRejected"),)
    world.change(create_errors=again)


def ended(world: World) -> bool:
    """Whether the status tells the end."""
    return world.observed.workplan.status.completion_time is not None


EVENTS: list[Event] = [
    *(looked_up(r) for r in (WORK_LEFT, WORK_LEFT, FULLY_CACHED, Invalid("InvalidPlan", "$"))),
    *(looked_up(Blocked(r, "x", START)) for r in ("SourceUnavailable", "StoreUnreachable")),
    *(passes(s) for s in (0.5, 5, 20, 70)),
    suspends(True), suspends(False),
    scheduler(1), scheduler(0),
    workers(True), workers(False, "ImagePullFailed"), workers(True, "OutOfMemory"),
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
            {}, optional={"minWorkers": st.integers(0, 3), "maxWorkers": st.integers(3, 6)}
        ),
    },
)
LIVES = st.lists(st.sampled_from(EVENTS), max_size=25)


def live(spec: dict[str, Any], events: list[Event]) -> World:
    """Let a WorkPlan live through events, reconciled after each."""
    world = World(spec)
    world.settle()
    for event in events:
        if world.gone:
            break
        event(world)
        world.settle()
    return world


def reading(generation: int, status: WorkPlanStatus) -> str:
    """What kstatus says."""
    thing = {
        "metadata": {"generation": generation},
        "status": {"observedGeneration": status.observed_generation, **api.encode(status)},
    }
    return kstatus.read(thing)


def verdict(status: WorkPlanStatus) -> str:
    """Status of Succeeded."""
    found = api.find_condition(status.conditions, "Succeeded")
    return found.status if found else "Unknown"


@settings(max_examples=300, deadline=None)
@given(SPECS, LIVES)
def test_kstatus_is_right_at_every_moment(spec: dict[str, Any], events: list[Event]) -> None:
    """Kstatus sees Current exactly when succeeded, Failed exactly when failed."""
    for generation, status in live(spec, events).generations:
        told = reading(generation, status)
        if status.observed_generation != generation:
            assert told == "InProgress"
            continue
        assert (
            told == {"True": "Current", "False": "Failed", "Unknown": "InProgress"}[verdict(status)]
        )


@settings(max_examples=300, deadline=None)
@given(SPECS, LIVES)
def test_an_end_never_changes(spec: dict[str, Any], events: list[Event]) -> None:
    """Once Succeeded is True or False it stays, with its reason, time and results."""
    end = None
    for status in live(spec, events).states:
        found = api.find_condition(status.conditions, "Succeeded")
        if end is not None:
            assert found is not None
            assert (found.status, found.reason, status.completion_time) == end
        elif found is not None and found.status != "Unknown":
            end = (found.status, found.reason, status.completion_time)
            assert status.completion_time is not None


@settings(max_examples=300, deadline=None)
@given(SPECS, LIVES)
def test_progress_never_goes_down(spec: dict[str, Any], events: list[Event]) -> None:
    """The number of operations that are done only grows."""
    done = [
        parse_finished(status.progress) for status in live(spec, events).states if status.progress
    ]
    assert done == sorted(done)


@settings(max_examples=300, deadline=None)
@given(SPECS, LIVES)
def test_children_only_for_work(spec: dict[str, Any], events: list[Event]) -> None:
    """Children are made only for what is left to compute; ended or suspended runs hold none."""
    world = live(spec, events)
    if world.observed.resolution == FULLY_CACHED:
        assert ended(world)
    if world.gone:
        return
    over = ended(world) or world.observed.workplan.spec.suspend
    if over:
        assert world.observed.cluster is None
        assert world.observed.autoscaler is None
        runner = world.observed.runner
        assert runner is None or runner.finished


@settings(max_examples=200, deadline=None)
@given(SPECS, LIVES)
def test_known_plans_get_no_children(spec: dict[str, Any], events: list[Event]) -> None:
    """A plan whose look-ups all say known never gets a child."""
    known = looked_up(FULLY_CACHED)
    kept = [event for event in events if event.__qualname__ != known.__qualname__]
    world = live(spec, [*kept, known])
    made = (CreateAccess, CreateCluster, CreateRunner, ApplyAutoscaler)
    assert not any(isinstance(action, made) for action in world.actions)


@settings(max_examples=200, deadline=None)
@given(SPECS, LIVES)
def test_all_conditions_are_always_there(spec: dict[str, Any], events: list[Event]) -> None:
    """From the first write on every condition is there, each with a reason."""
    for status in live(spec, events).states:
        kinds = {condition.type for condition in status.conditions}
        assert kinds >= {"Ready", "Succeeded", "StoreReady", "ClusterReady", "Reconciling"}
        assert all(condition.reason for condition in status.conditions)


@settings(max_examples=200, deadline=None)
@given(SPECS, LIVES)
def test_nothing_waits_without_an_alarm(spec: dict[str, Any], events: list[Event]) -> None:
    """Whatever a WorkPlan waits for, it is looked at again in time, or a watch tells of it."""
    world = live(spec, events)
    if world.gone or ended(world) or world.observed.workplan.spec.suspend:
        return
    waits = [a.seconds for a in decide(world.observed, world.now) if isinstance(a, RequeueAfter)]
    assert waits
    assert min(waits) <= 15
