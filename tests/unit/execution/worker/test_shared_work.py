"""Shared work: a run waits for the result of another one, within limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from msgspec.structs import replace as change

from tests.support.plans_and_runs import PlanMaker, fresh_store
from voxk8s.errors import StoreUnreachable
from voxk8s.execution.operation_reports import Failed, Report, Status
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.tasks.planning import plan_groups
from voxk8s.execution.tasks.task import TaskSpec, build_tasks
from voxk8s.execution.worker import runtime, shared_work
from voxk8s.execution.worker.run_task import run_task
from voxk8s.execution.worker.shared_work import HolderTimeout
from voxk8s.execution.worker.task_context import Clock, RunSpec
from voxk8s.failure import CANCELLED
from voxk8s.kernels import kernel, registry
from voxk8s.plan import ResultKey, key_graph, resolve
from voxk8s.storage import ResultStore
from voxk8s.storage.lease import Holder, Lease

_calls: list[float] = []
_inside: list[Callable[[], None]] = []


@kernel("shared.expensive")
def expensive(x: float) -> float:
    """Count the calls, and run the actions of the test."""
    _calls.append(x)
    for action in _inside:
        action()
    return x + 1


@pytest.fixture
def reports() -> Iterator[list[Report]]:
    """The reports of the run `shared`; no kernel was called or measured before."""
    _calls.clear()
    _inside.clear()
    shared_work._seconds.clear()
    kept: list[Report] = []
    runtime.subscribe("shared", lambda _, found: kept.extend(found))
    yield kept
    runtime.forget_run("shared")


@pytest.fixture
def store() -> ResultStore:
    """A store in memory, which tasks use."""
    opened = fresh_store()
    runtime.register_store("shared-test", opened)
    return opened


def _task() -> TaskSpec:
    make = PlanMaker()
    make.show("x", make("shared.expensive", 1.0))
    graph = key_graph(make.plan(), registry())
    compute = resolve(graph, lambda _: ()).compute
    groups, options = plan_groups(graph, compute, (), compute)
    [task] = build_tasks(groups, graph.nodes, options).values()
    return task


def _context(seconds: float = 30.0) -> RunSpec:
    return RunSpec(
        id="shared",
        store_token="shared-test",
        store=None,
        reads=True,
        writes=True,
        replaces=False,
        store_policy="auto",
        retry=RetryPolicy(limit=0),
        looked_up_at=0.0,
        lease_seconds=seconds,
        label="ours",
    )


class Waits:
    """A clock that advances when a task waits, and runs an action at each wait."""

    def __init__(self, *actions: Callable[[], object]) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self._actions = list(actions)

    def clock(self) -> Clock:
        """Return the clock; the time of the store does not advance."""
        return Clock(lambda: self.now, lambda: self.now, self._wait, lambda: 0.5, self._wait)

    def _wait(self, seconds: float) -> None:
        assert len(self.waits) < 100
        self.now += seconds
        self.waits.append(seconds)
        if self._actions:
            self._actions.pop(0)()


def _other(store: ResultStore, seconds: float = 60.0) -> tuple[TaskSpec, Lease]:
    task = _task()
    lease = store.lease(task.steps[0].key, "other", seconds=seconds, label="WorkPlan a/b")
    assert lease.acquire() is None
    return task, lease


def _holder(store: ResultStore, key: str) -> Holder | None:
    asking = store.lease(key, "asking", seconds=1)
    holder = asking.acquire()
    asking.release()
    return holder


def test_a_run_waits_for_the_result_of_another(store: ResultStore, reports: list[Report]) -> None:
    """It reports the label of the holder, and returns the result as soon as it is stored."""
    task, _ = _other(store)
    key = ResultKey(task.steps[0].key)
    waits = Waits(lambda: None, lambda: store.put(key, 2.0))
    assert run_task(task, _context(), clock=waits.clock()) == 2.0
    assert _calls == []
    assert waits.waits == [1.25, 1.25]
    assert [each.status for each in reports] == [Status.WAITING, Status.FOUND]
    assert reports[0].holder == "WorkPlan a/b"


def test_a_released_lease_goes_to_the_run_that_waits(
    store: ResultStore, reports: list[Report]
) -> None:
    """When there is no result, the run that waits computes it."""
    task, lease = _other(store)
    waits = Waits(lease.release)
    assert run_task(task, _context(), clock=waits.clock()) == 2.0
    assert _calls == [1.0]
    assert len(waits.waits) == 1


def test_a_dead_holder_delays_others_until_its_lease_expires(
    store: ResultStore, reports: list[Report]
) -> None:
    """Then the operation is computed."""
    task, _ = _other(store, seconds=0.2)
    assert run_task(task, _context()) == 2.0
    assert _calls == [1.0]


def test_a_holder_that_hangs_loses_its_lease(
    store: ResultStore, reports: list[Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder that only renews its lease is replaced after the timeout."""
    monkeypatch.setattr(shared_work, "MIN_TIMEOUT_SECONDS", 10.0)
    task, lease = _other(store)
    waits = Waits(*[lease.renew] * 50)
    assert run_task(task, _context(), clock=waits.clock()) == 2.0
    assert _calls == [1.0]
    assert 10 < waits.now < 12


def test_the_timeout_grows_with_the_measured_cost(
    store: ResultStore, reports: list[Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a multiple of what the kernel cost in this process."""
    monkeypatch.setattr(shared_work, "MIN_TIMEOUT_SECONDS", 10.0)
    shared_work._seconds["shared.expensive"] = 8.0
    task, lease = _other(store)
    waits = Waits(*[lease.renew] * 50)
    assert run_task(task, _context(), clock=waits.clock()) == 2.0
    assert 32 < waits.now < 34


def test_the_clock_of_a_dead_holder_does_not_matter(
    store: ResultStore, reports: list[Report]
) -> None:
    """A lease that is not renewed expires by the clock of the run that waits."""
    ahead = ResultStore(store._location, store._options, clock=lambda: time.time() + 3600)
    task, _ = _other(ahead, seconds=5)
    waits = Waits()
    assert run_task(task, _context(), clock=waits.clock()) == 2.0
    assert 5 < waits.now < 8


def test_the_timeout_starts_anew_with_each_holder() -> None:
    """A renewal restarts the validity of the lease, another holder the timeout."""
    now = 0.0
    limit = HolderTimeout(lambda: now, timeout=20.0)
    assert not limit.is_exceeded(Holder("a", 10.0, seconds=10.0))
    now = 11.0
    assert limit.is_exceeded(Holder("a", 10.0, seconds=10.0))
    assert not limit.is_exceeded(Holder("a", 21.0, seconds=10.0))
    now = 21.0
    assert limit.is_exceeded(Holder("a", 31.0, seconds=10.0))
    assert not limit.is_exceeded(Holder("b", 31.0, seconds=10.0))


def test_attempts_of_one_run_do_not_wait_for_each_other(
    store: ResultStore, reports: list[Report]
) -> None:
    """The lease of an attempt that died does not delay the next one."""
    task, _ = _other(store)
    waits = Waits()
    assert run_task(task, replace(_context(), lease_owner="other"), clock=waits.clock()) == 2.0
    assert waits.waits == []


def test_the_lease_is_held_while_computing(store: ResultStore, reports: list[Report]) -> None:
    """It is released after success and after failure."""
    task = _task()
    key = task.steps[0].key
    seen: list[str] = []

    def look() -> None:
        holder = _holder(store, key)
        seen.append("" if holder is None else holder.label)
        if len(_calls) > 1:
            raise ValueError("no more")

    _inside.append(look)
    assert run_task(task, _context()) == 2.0
    store.delete([key])
    shared_work._seconds.clear()
    assert isinstance(run_task(task, _context()), Failed)
    assert seen == ["ours", "ours"]
    assert _holder(store, key) is None


def test_a_result_stored_before_the_lease_was_acquired_is_read(
    store: ResultStore, reports: list[Report]
) -> None:
    """A result that was stored since the run's lookup is not computed again."""
    task = _task()
    store.put(ResultKey(task.steps[0].key), 2.0)
    context = replace(_context(), looked_up_at=1e12)
    assert run_task(task, context) == 2.0
    assert _calls == []


def test_a_cancelled_run_stops_waiting(store: ResultStore, reports: list[Report]) -> None:
    """It does not compute the operation either."""
    task, _ = _other(store)
    run = "shared-cancelled"
    waits = Waits(lambda: runtime.cancel_run(run))
    value = run_task(task, replace(_context(), id=run), clock=waits.clock())
    assert isinstance(value, Failed)
    assert value.failure.reason == CANCELLED
    assert _calls == []


@pytest.mark.parametrize("case", ["quick", "off", "goals", "unreachable"])
def test_no_lease_is_taken(
    store: ResultStore, reports: list[Report], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """For operations that are quick or not stored, and when leases are off or the store fails."""
    task, _ = _other(store)
    context = _context(0.0 if case == "off" else 30.0)
    if case == "quick":
        shared_work._seconds["shared.expensive"] = 0.1
    if case == "goals":
        steps = tuple(change(step, rule=change(step.rule, must_store=False)) for step in task.steps)
        task, context = replace(task, steps=steps), replace(context, store_policy="goals")
    if case == "unreachable":
        monkeypatch.setattr(Lease, "acquire", _refuse)
    assert run_task(task, context, clock=Waits().clock()) == 2.0
    assert _calls == [1.0]


def _refuse(_: Lease) -> Holder | None:
    raise StoreUnreachable("away")
