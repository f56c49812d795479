"""Planning a run: its graph, what the store holds of it, and the tasks that are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from tests.support.plans_and_runs import (
    Memory,
    PlanMaker,
    RaisingExecutor,
    Unfused,
    engine_on,
    fresh_store,
)
from voxk8s.errors import InputUnavailable
from voxk8s.execution import ExecutionEngine
from voxk8s.execution.events import OperationFailed, OperationFinished, PlanResolved
from voxk8s.execution.executors.protocol import Executor, Message, TaskDone
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.run import submit
from voxk8s.execution.run.losses import MAX_RECOMPUTATIONS
from voxk8s.execution.run.message_handler import MessageHandler
from voxk8s.execution.run.pin_inputs import PinResult
from voxk8s.execution.run.run_context import EventDispatcher, RunContext
from voxk8s.execution.run.run_state import RunState
from voxk8s.execution.run.submit import Submitter, grow_graph, lookups_for
from voxk8s.execution.run.task_queue import QueuedTask
from voxk8s.execution.run_config import RunConfig
from voxk8s.execution.source_locations import NO_LOCATIONS
from voxk8s.execution.worker import keeping
from voxk8s.kernels import kernel, registry
from voxk8s.plan import Digest, InputRef, Pin, key_graph
from voxk8s.storage import ResultStore
from voxk8s.values import Array

MESSAGES: list[Message] = []


@pytest.fixture(autouse=True)
def no_messages() -> None:
    """No messages of other tests."""
    MESSAGES.clear()


def _sum() -> PlanMaker:
    make = PlanMaker()
    make.show("sum", make("addition", make("multiplication", 3.0, 4.0), 5.0))
    return make


def _context(
    make: PlanMaker,
    store: ResultStore | None = None,
    executor: Executor | None = None,
    memory: Memory | None = None,
    **options: Any,
) -> RunContext:
    return RunContext(
        uuid4().hex,
        RunConfig.from_options(store or fresh_store(), executor or SynchronousExecutor(), options),  # type: ignore[arg-type]
        RunState(key_graph(make.plan(), registry())),
        EventDispatcher([memory] if memory else []),
        NO_LOCATIONS,
        MESSAGES.append,
        None,
    )


def _submit(context: RunContext) -> Submitter:
    submitter = Submitter(context)
    submitter.plan_missing()
    submitter.feed()
    return submitter


def _goal_task(context: RunContext) -> QueuedTask:
    task = context.state.queue.producer(context.state.targets()[0])
    assert task is not None
    return task


def test_missing_operations_are_submitted() -> None:
    """The task of the goal is started until its message is handled."""
    memory = Memory()
    context = _context(_sum(), memory=memory)
    _submit(context)
    assert MESSAGES[-1] == TaskDone(_goal_task(context).key)
    assert context.state.queue.started == 1
    [resolved] = memory.of(PlanResolved)
    assert (resolved.total, resolved.cached, resolved.to_compute) == (2, 0, 2)
    context.close()


def test_planned_operations_are_not_planned_again() -> None:
    """A second call, as after a pivot was read, plans what is new only."""
    context = _context(_sum())
    submitter = _submit(context)
    before = list(MESSAGES)
    submitter.plan_missing()
    submitter.feed()
    assert before == MESSAGES
    context.close()


@kernel("submit.noise")
def noise(seed: float) -> Array:
    """Return 80 kB that cannot be compressed."""
    return np.random.default_rng(int(seed)).random(10_000)


@kernel("submit.first")
def first(array: Array) -> float:
    """Return the first number."""
    return float(array[0])


def test_a_run_stores_as_many_bytes_beside_goals_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each counts once, also when the driver has heard of it; goals do not count."""
    monkeypatch.setattr(submit, "WINDOW", 1)
    monkeypatch.setattr(submit, "WINDOW_PER_THREAD", 0)
    monkeypatch.setattr(keeping, "is_worth_storing", lambda *_: True)
    make, memory = PlanMaker(), Memory()
    for number in range(8):
        make.show(f"goal{number}", make("submit.noise", number + 100.0))
        make.show(f"sum{number}", make("submit.first", make("submit.noise", float(number))))
    options: Any = {"scheduling": Unfused(), "listeners": [memory], "store_bytes": 4.5 * 80_000}
    engine = ExecutionEngine(fresh_store(), executor="synchronous", write_files=False, **options)
    result = engine.execute_workplan(make.plan())
    assert result.success
    goals = {goal.key for goal in result.goals}
    kept = [each for each in memory.of(OperationFinished) if each.stored and each.key not in goals]
    assert len(kept) == 4


def test_the_executor_gets_a_bounded_number_of_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others follow as tasks end."""
    monkeypatch.setattr(submit, "WINDOW", 3)
    monkeypatch.setattr(submit, "WINDOW_PER_THREAD", 1)
    make = PlanMaker()
    for number in range(8):
        make.show(f"x{number}", make("addition", float(number), 1.0))
    context = _context(make)
    submitter, handler = _submit(context), MessageHandler(context)
    most = 0
    while context.state.queue.unfinished:
        most = max(most, context.state.queue.started)
        handler.handle([MESSAGES.pop(0) for _ in range(len(MESSAGES))])
        submitter.feed()
    assert most == 3
    assert len(context.state.settled) == 8
    context.close()


def test_shared_operations_of_loops_are_looked_up_once() -> None:
    """However many sequences become known one after the other."""

    class Counting:
        def __init__(self, store: ResultStore) -> None:
            self.store, self.asked = store, Counter[str]()

        def __getattr__(self, name: str) -> object:
            return getattr(self.store, name)

        def contains(self, keys: Collection[str]) -> set[str]:
            self.asked.update(keys)
            return self.store.contains(keys)

    store: Any = Counting(fresh_store())
    make = PlanMaker()
    for number in range(5):
        length = make("addition", float(number), 1.0)
        make.show(f"x{number}", make.loop(make("range", length), "sequence"))
    result = engine_on(store, SynchronousExecutor()).execute_workplan(make.plan())
    assert result.success
    assert set(store.asked.values()) == {1}


def test_known_results_are_settled_and_not_submitted() -> None:
    """Nothing is started for them."""
    store = fresh_store()
    engine_on(store, SynchronousExecutor()).execute_workplan(_sum().plan())
    context = _context(_sum(), store, RaisingExecutor())
    Submitter(context).plan_missing()
    assert context.state.settled == {context.state.targets()[0]: None}
    assert not context.state.queue.unfinished


def test_constants_are_settled() -> None:
    """A goal that is a constant has its value in the plan."""
    make = PlanMaker()
    make.show("one", make.constant(1.0))
    context = _context(make, executor=RaisingExecutor())
    Submitter(context).plan_missing()
    assert context.state.settled == {context.state.targets()[0]: None}


@pytest.mark.parametrize("cache", ["refresh", "bypass"])
def test_a_run_without_known_results_has_tasks_of_its_own(cache: str) -> None:
    """The keys of its tasks have its name, so that Dask does not take values of another run."""
    context = _context(_sum(), cache=cache)
    _submit(context)
    assert _goal_task(context).key.endswith(f"-{context.name}")
    shared = _context(_sum())
    _submit(shared)
    assert _goal_task(shared).key == f"default.addition-{shared.state.targets()[0]}"
    for each in (context, shared):
        each.close()


def test_an_input_that_cannot_be_read_is_reported_once(tmp_path: object) -> None:
    """Later calls do not try to read it again."""
    make, memory = PlanMaker(), Memory()
    make.show("file", make("load", f"{tmp_path}/nothing.json"))
    context = _context(make, memory=memory)
    submitter = Submitter(context)
    submitter.plan_missing()
    submitter.plan_missing()
    [failed] = memory.of(OperationFailed)
    assert "nothing.json" in failed.failure.message
    assert failed.key == ""
    context.close()


def test_a_run_that_fails_fast_stops_at_such_an_input(tmp_path: object) -> None:
    """Nothing is submitted after it."""
    make = _sum()
    make.show("file", make("load", f"{tmp_path}/nothing.json"))
    context = _context(make, executor=SynchronousExecutor(), on_failure="failfast")
    Submitter(context).plan_missing()
    assert context.stopped == "not finished: stopped after default.load had failed"
    assert not context.state.queue.unfinished
    context.close()


def _load_two() -> RunState:
    make = PlanMaker()
    make.show("a", make("load", "s3://x/a"))
    make.show("b", make("load", "s3://x/b"))
    return RunState(key_graph(make.plan(), registry()))


def test_a_graph_grows_by_pins_and_keeps_failures() -> None:
    """An input that failed is not asked for again; the other one has its key."""
    state, asked = _load_two(), list[object]()

    def pin(refs: Sequence[InputRef]) -> PinResult:
        asked.extend(ref.arguments[0] for ref in refs)
        first, second = refs
        found = Pin("s3://x/a", Digest("a" * 64), 1)
        return PinResult({first.id: found}, {second.id: InputUnavailable("s3://x/b is gone")})

    grow_graph(state, pin)
    grow_graph(state, pin)
    assert asked == ["s3://x/a", "s3://x/b"]
    assert [goal.key is None for goal in state.graph.goals] == [False, True]
    [(name, failure)] = state.input_failures.items()
    assert (failure.operation, failure.kernel) == (name, "default.load")
    assert failure.message == "s3://x/b is gone"


def test_a_graph_grows_by_the_values_of_pivots() -> None:
    """A loop is written out when the run has read its sequence."""
    make = PlanMaker()
    make.show("loop", make.loop(make("range", make("addition", 1.0, 1.0)), "sequence"))
    state = RunState(key_graph(make.plan(), registry()))
    [deferred] = state.graph.deferred
    grow_graph(state, lambda _: PinResult())
    assert state.graph.goals[0].key is None
    state.pivots[deferred.pivot] = [0.0, 1.0]
    grow_graph(state, lambda _: PinResult())
    assert state.graph.goals[0].key is not None


@pytest.mark.parametrize(("cache", "known"), [("use", True), ("refresh", False), ("bypass", False)])
def test_what_the_store_holds_is_known_to_a_run_that_uses_it(cache: str, known: bool) -> None:
    """Other runs do not ask."""
    store, state = fresh_store(), RunState(key_graph(_sum().plan(), registry()))
    [key] = state.targets()
    store.put(key, 17.0)
    config = RunConfig.from_options(store, SynchronousExecutor(), {"cache": cache})
    assert (key in lookups_for(config, state)([key])) is known


def test_a_known_goal_that_a_task_reads_for_another_goal_is_reached() -> None:
    """The task that reads it is not its own, so that the goal does not wait for it."""
    store = fresh_store()
    first = PlanMaker()
    first.show("one", first("addition", 1.0, 2.0))
    engine_on(store, SynchronousExecutor()).execute_workplan(first.plan())
    make = PlanMaker()
    known = make("addition", 1.0, 2.0)
    make.show("one", known)
    make.show("two", make("sequence", known))
    result = engine_on(store, SynchronousExecutor(), scheduling=Unfused()).execute_workplan(
        make.plan()
    )
    assert dict(result) == {"one": 3.0, "two": [3.0]}


def test_a_result_that_is_lost_again_and_again_is_not_read_any_more() -> None:
    """Reading what the store says it holds, and losing it, would be a circle."""
    context = _context(_sum())
    _submit(context)
    lookups, [key] = context.state.lookups, context.state.targets()
    assert lookups is not None
    for number in range(MAX_RECOMPUTATIONS):
        context.result_vanished(key)
        context.result_computed(key, stored=True)
        assert lookups([key]) == (set() if number == MAX_RECOMPUTATIONS - 1 else {key})
