"""What runs of one process share, and when values are freed."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.scripted_tasks import Inbox, key, run_spec, script, task
from tests.support.waiting import wait_until
from voxk8s.execution.executors import task_pool
from voxk8s.execution.executors.task_pool import TaskPool
from voxk8s.execution.executors.threads import ThreadsSession
from voxk8s.execution.operation_reports import Failed
from voxk8s.values import Array, Value


class Run:
    """A session on a pool, with its messages."""

    def __init__(self, pool: TaskPool, name: str) -> None:
        self.inbox = Inbox()
        self.session = ThreadsSession(pool, name, self.inbox)
        self.spec = run_spec(name)

    def submit(self, *tasks: tuple[str, ...], ranks: dict[str, int] | None = None) -> None:
        """Submit tasks; each is its name and those of the tasks that it needs."""
        order = {key(name): rank for name, rank in (ranks or {}).items()}
        self.session.submit([task(*names) for names in tasks], self.spec, order)

    def release(self, *names: str) -> None:
        """Release the values of tasks."""
        self.session.release([key(name) for name in names])


class Gate:
    """A kernel that waits until the gate opens, and counts its calls."""

    def __init__(self, value: Value = 1.0) -> None:
        self.calls = 0
        self.entered = threading.Event()
        self.opened = threading.Event()
        self._value = value

    def __call__(self, *_: Value) -> Value:
        """Wait; return the value."""
        self.calls += 1
        self.entered.set()
        assert self.opened.wait(30)
        return self._value


@pytest.fixture
def pool() -> TaskPool:
    """A pool with one thread."""
    return TaskPool()


@pytest.fixture
def run(pool: TaskPool) -> Iterator[Run]:
    """A run on the pool."""
    run = Run(pool, "pool-first")
    yield run
    run.session.close()


@pytest.fixture
def other(pool: TaskPool) -> Iterator[Run]:
    """A second run on the pool."""
    run = Run(pool, "pool-second")
    yield run
    run.session.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    """The task `gate`, which is opened at the end."""
    gate = Gate()
    script("gate", gate)
    yield gate
    gate.opened.set()


def test_tasks_run_in_the_order_of_their_ranks(run: Run, gate: Gate) -> None:
    """Of the tasks that are ready the one with the smallest rank is first."""
    order: list[str] = []
    for name in "abc":
        script(name, lambda *_, name=name: order.append(name))
    run.submit(("gate",), ranks={"gate": 0})
    run.submit(("a",), ("b",), ("c", "gate"), ranks={"a": 3, "b": 2, "c": 1})
    gate.opened.set()
    run.inbox.wait("a", "b", "c")
    assert order == ["c", "b", "a"]


def test_without_ranks_tasks_run_as_they_were_given(run: Run, gate: Gate) -> None:
    """A task that becomes ready late keeps its place."""
    order: list[str] = []
    for name in "abc":
        script(name, lambda *_, name=name: order.append(name))
    run.submit(("gate",), ("a", "gate"), ("b",), ("c", "gate"))
    gate.opened.set()
    run.inbox.wait("a", "b", "c")
    assert order == ["a", "b", "c"]


def test_values_are_freed_after_their_last_use(run: Run, gate: Gate) -> None:
    """A released value lives until the tasks that need it have run."""
    made: list[weakref.ref[Array]] = []

    def make(_: Value) -> Array:
        array = np.ones(1000)
        made.append(weakref.ref(array))
        return array

    def is_alive(*_: Value) -> bool:
        gc.collect()
        return made[0]() is not None

    script("array", make)
    script("alive", is_alive)
    script("alive after all", is_alive)
    run.submit(("gate",), ("array", "gate"), ("alive", "array"), ("alive after all", "alive"))
    run.release("array")
    gate.opened.set()
    run.inbox.wait("alive after all")
    assert run.session.fetch(key("alive")) is True
    assert run.session.fetch(key("alive after all")) is False


def test_nothing_is_kept_of_what_was_released(run: Run, pool: TaskPool) -> None:
    """When all values are released the pool is empty."""
    script("x", lambda *_: 1.0)
    script("y", lambda *_: 1.0)
    run.submit(("x",), ("y", "x"))
    run.release("x")
    run.inbox.wait("x", "y")
    run.release("y")
    wait_until(lambda: not pool._tasks)


def test_a_task_that_nothing_needs_is_not_run(run: Run, gate: Gate) -> None:
    """Neither is what only this task needs."""
    unused = Gate()
    script("below", unused)
    script("above", unused)
    script("last", lambda *_: 1.0)
    run.submit(("gate",), ("below", "gate"), ("above", "below"), ("last", "gate"))
    run.release("below", "above")
    gate.opened.set()
    run.inbox.wait("last")
    assert unused.calls == 0


def test_a_released_task_is_run_for_those_that_need_it(run: Run, gate: Gate) -> None:
    """Its end is reported all the same."""
    script("above", lambda x: x + 1.0)
    run.submit(("gate",), ("above", "gate"))
    run.release("gate")
    gate.opened.set()
    run.inbox.wait("gate", "above")
    assert run.session.fetch(key("above")) == 2.0


def test_two_runs_share_a_task(run: Run, other: Run, gate: Gate) -> None:
    """It runs once, both get a message and the value, and each releases it for itself."""
    run.submit(("gate",))
    other.submit(("gate",))
    gate.opened.set()
    run.inbox.wait("gate")
    other.inbox.wait("gate")
    run.release("gate")
    assert other.session.fetch(key("gate")) == 1.0
    assert gate.calls == 1


def test_a_value_that_is_there_is_shared(run: Run, other: Run, gate: Gate) -> None:
    """A run that comes later gets the message at once."""
    gate.opened.set()
    run.submit(("gate",))
    run.inbox.wait("gate")
    other.submit(("gate",))
    assert other.inbox.done == [key("gate")]
    assert gate.calls == 1


def test_a_cancelled_run_leaves_shared_tasks_alone(run: Run, other: Run, gate: Gate) -> None:
    """A running task goes on, and a waiting one runs for the run that needs it."""
    seen: list[str] = []
    script("above", lambda *_: seen.append("above"))
    run.submit(("gate",), ("above", "gate"))
    assert gate.entered.wait(30)
    other.submit(("gate",), ("above", "gate"))
    run.session.cancel()
    gate.opened.set()
    other.inbox.wait("gate", "above")
    assert (gate.calls, seen) == (1, ["above"])
    assert not run.inbox.done


def test_a_task_runs_for_a_run_that_has_not_ended(
    run: Run, other: Run, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store of the run that submitted it first may be closed."""
    runs: list[str] = []

    def record(_task: object, spec: object, *_: object) -> float:
        runs.append(spec.id)  # type: ignore[attr-defined]  # a RunSpec
        return 1.0

    script("below", lambda *_: 1.0)
    script("above", lambda *_: 1.0)
    run.submit(("gate",), ("below", "gate"))
    assert gate.entered.wait(30)
    monkeypatch.setattr(task_pool, "run_task", record)
    other.submit(("gate",), ("below", "gate"), ("above", "below"))
    other.release("below")
    run.session.close()
    gate.opened.set()
    other.inbox.wait("above")
    assert runs == ["pool-second"] * 2


def test_a_run_is_looked_for_once_in_each_task(run: Run, gate: Gate) -> None:
    """Where every task needs both tasks of the level before, their ways up are not counted."""
    names = ["below", *(f"{side}{level}" for level in range(60) for side in "lr")]
    for name in names:
        script(name, lambda *_: 1.0)
    run.submit(("gate",))
    assert gate.entered.wait(30)
    levels: list[tuple[str, ...]] = [("l0", "below"), ("r0", "below")]
    for above, below in zip(range(1, 60), range(59), strict=True):
        levels += [(f"{side}{above}", f"l{below}", f"r{below}") for side in "lr"]
    run.submit(("below",), *levels)
    run.session.ended = True  # the run is closing, and has not released its tasks yet
    gate.opened.set()
    wait_until(lambda: not run.session._pool.threads._active)


def test_what_only_a_cancelled_run_needs_stops(run: Run, pool: TaskPool, gate: Gate) -> None:
    """Its other tasks are not run, and the one that runs stops before its next operation."""
    never = Gate()
    script("never", never)
    run.submit(("gate",), ("never", "gate"))
    assert gate.entered.wait(30)
    running = pool._tasks[key("gate")]
    assert not running.is_cancelled()
    run.session.cancel()
    assert running.is_cancelled()
    gate.opened.set()
    wait_until(lambda: not pool._tasks)
    assert never.calls == 0
    assert run.inbox.done == []


def test_an_interrupted_task_runs_again_for_a_later_run(
    run: Run, other: Run, pool: TaskPool, gate: Gate
) -> None:
    """A run that submits a task while it stops for another run gets its value."""
    run.submit(("gate",))
    assert gate.entered.wait(30)
    run.session.cancel()
    assert pool._tasks[key("gate")].is_cancelled()
    other.submit(("gate",))
    gate.opened.set()
    other.inbox.wait("gate")
    assert gate.calls == 2
    assert other.session.fetch(key("gate")) == 1.0


def test_failures_are_not_shared_with_later_runs(run: Run, other: Run) -> None:
    """A run that comes later runs the task again; one that holds the failure keeps it."""
    moods = [ValueError("not today")]

    def moody() -> float:
        if moods:
            raise moods.pop()
        return 1.0

    script("moody", moody)
    script("above", lambda x: x)
    run.submit(("moody",), ("above", "moody"))
    run.inbox.wait("moody", "above")
    other.submit(("moody",), ("above", "moody"))
    other.inbox.wait("moody", "above")
    assert isinstance(run.session.fetch(key("above")), Failed)
    assert other.session.fetch(key("above")) == 1.0


def test_a_task_that_inherits_an_old_failure_is_not_shared(
    run: Run, other: Run, gate: Gate
) -> None:
    """It waits still; the later run has a task of its own with its own value below."""
    moods = [ValueError("not today")]

    def moody() -> float:
        if moods:
            raise moods.pop()
        return 1.0

    script("moody", moody)
    script("both", lambda x, _: x)
    run.submit(("moody",), ("gate",), ("both", "moody", "gate"))
    run.inbox.wait("moody")
    other.submit(("moody",), ("gate",), ("both", "moody", "gate"))
    gate.opened.set()
    run.inbox.wait("both")
    other.inbox.wait("both")
    assert isinstance(run.session.fetch(key("both")), Failed)
    assert other.session.fetch(key("both")) == 1.0


def test_an_exception_is_a_loss_of_all_that_needs_the_task(
    run: Run, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The messages name the task; the thread goes on with others, and a new attempt succeeds."""

    def broken(*_: object) -> None:
        raise SystemExit("no way")

    script("below", lambda: 1.0)
    script("above", lambda x: x)
    script("fine", lambda: 3.0)
    with monkeypatch.context() as patch:
        patch.setattr(task_pool, "run_task", broken)
        run.submit(("below",), ("above", "below"))
        run.inbox.wait("below", "above")
    losses = {each.key: each for each in run.inbox.lost}
    assert set(losses) == {key("below"), key("above")}
    assert losses[key("above")].culprit == key("below")
    assert "no way" in losses[key("above")].failure.message
    run.submit(("fine",), ("below",), ("above", "below"))
    wait_until(lambda: len(run.inbox.done) == 3)
    assert run.session.fetch(key("above")) == 1.0


def test_a_value_that_is_not_held_is_a_loss(run: Run) -> None:
    """A task that needs a released value cannot run; another attempt may succeed."""
    script("above", lambda x: x)
    run.submit(("above", "nowhere"))
    [lost] = run.inbox.lost
    assert (lost.key, lost.culprit) == (key("above"), key("nowhere"))
    assert lost.failure.transient
