"""Running tasks, with scripted time and randomness."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from msgspec.structs import replace as change

from tests.support.plans_and_runs import PlanMaker, fresh_store
from voxk8s import __version__
from voxk8s.constants import INLINE_VALUE_BYTES, REASON_STORE_UNREACHABLE
from voxk8s.errors import InputUnreachable, StoreUnreachable
from voxk8s.execution.operation_reports import Failed, Report, Status, decode_batch, encode_batch
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.task import TaskOptions, TaskSpec, build_tasks
from voxk8s.execution.worker import runtime, shared_work
from voxk8s.execution.worker.run_task import FLUSH_BYTES, LOOKUP_WORTH_SECONDS, run_task
from voxk8s.execution.worker.task_context import Clock, RunSpec
from voxk8s.kernels import kernel, registry
from voxk8s.plan import KeyConstant, ResultKey, key_graph
from voxk8s.plan.kernel_version import KernelVersion
from voxk8s.storage import PutResult, ResultStore, open_store
from voxk8s.values import Array, Value

RUN = "run of test_run_task"
_script: list[object] = []
_made: list[weakref.ref[Array]] = []
_calls: list[float] = []


@kernel("task.scripted")
def scripted(x: float) -> float:
    """Raise the next error of the script, or return the argument."""
    _calls.append(x)
    step = _script.pop(0) if _script else None
    if isinstance(step, BaseException):
        raise step
    return x


@kernel("task.made")
def made(size: float) -> Array:
    """Return an array with a weak reference to it."""
    array = np.ones(int(size))
    _made.append(weakref.ref(array))
    return array


@kernel("task.size")
def size(array: Array, factor: float) -> float:
    """Return a multiple of the size of an array."""
    return array.size * factor


@kernel("task.living")
def living(_: float) -> float:
    """Return how many of the arrays are alive."""
    return float(sum(watched() is not None for watched in _made))


@kernel("task.growing")
def growing(x: Value) -> Value:
    """Append to the argument, and to the list that was returned before."""
    assert isinstance(x, list)
    x.append(0.0)
    _kept.append(len(x))
    return _kept


_kept: list[Value] = []


class Mute(Exception):
    """An error whose `str` raises."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.fixture
def reports() -> Iterator[list[Report]]:
    """The reports of the run; the script is empty before."""
    _script.clear()
    _calls.clear()
    kept: list[Report] = []
    runtime.subscribe(RUN, lambda _, found: kept.extend(found))
    yield kept
    runtime.forget_run(RUN)


class Script:
    """A clock that records the waits: those that release the thread, and those that block it."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []
        self.holds: list[float] = []

    def clock(self) -> Clock:
        """Return the clock."""
        now = lambda: self.time  # noqa: E731  # both of its faces
        return Clock(now, now, self.waits.append, lambda: 0.5, self.hold)

    def hold(self, seconds: float) -> None:
        """Advance the time."""
        self.holds.append(seconds)
        self.time += seconds


class Shaky:
    """A store whose first puts fail."""

    def __init__(self, failures: int) -> None:
        self.store = fresh_store()
        self.failures = failures
        self.puts = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    def put(self, key: str, value: Value, *_: object, **__: object) -> PutResult:
        """Store a value, or fail."""
        self.puts += 1
        if self.puts <= self.failures:
            raise StoreUnreachable("away")
        return self.store.put(key, value)


def _task(make: PlanMaker, *, must_store: bool = True) -> TaskSpec:
    graph = key_graph(make.plan(), registry())
    members = [key for key, node in graph.nodes.items() if not isinstance(node, KeyConstant)]
    goals = {goal.key for goal in graph.goals if goal.key is not None}
    exports = [key for key in members if key in goals]
    demand = TaskOptions(goals=goals, must_store=goals if must_store else (), cheap=())
    [task] = build_tasks([FusionGroup(members, exports)], graph.nodes, demand).values()
    return task


def _context(
    store: object = None,
    *,
    resolved: float = 0.0,
    limit: int = 3,
    patience: float = 0.0,
) -> RunSpec:
    return RunSpec(
        id=RUN,
        store_token="task-test",
        store=cast("ResultStore | None", store),
        reads=True,
        writes=store is not None,
        replaces=False,
        store_policy="auto",
        retry=RetryPolicy(limit=limit, store_patience=patience),
        looked_up_at=resolved,
    )


@pytest.fixture(autouse=True)
def no_store() -> None:
    """Each test opens its own store."""
    runtime._shared.stores.pop("task-test", None)


def _plan(*values: float) -> PlanMaker:
    make = PlanMaker()
    for value in values:
        make.show(f"x{value}", make("task.scripted", value))
    return make


def test_a_task_returns_its_only_export(reports: list[Report]) -> None:
    """A task gives the value of its only export; each operation has its report."""
    make = PlanMaker()
    make.show("x", make("addition", make("multiplication", 3.0, 4.0), 5.0))
    assert run_task(_task(make), _context()) == 17.0
    assert [report.status for report in reports] == [Status.COMPUTED] * 2
    assert reports[-1].kernel == "default.addition"


def test_values_are_released_after_their_last_use(reports: list[Report]) -> None:
    """A value that two steps use is released after the second one."""
    _made.clear()
    make = PlanMaker()
    array = make("task.made", 5.0)
    both = make("addition", make("task.size", array, 1.0), make("task.size", array, 2.0))
    make.show("sizes", both)
    make.show("living", make("task.living", both))
    values = run_task(_task(make), _context())
    assert isinstance(values, dict)
    assert list(values.values()) == [15.0, 0.0]


def test_several_exports_are_a_mapping(reports: list[Report]) -> None:
    """A packed task gives all its exports by key."""
    task = _task(_plan(1.0, 2.0))
    value = run_task(task, _context())
    assert isinstance(value, dict)
    assert list(value.values()) == [1.0, 2.0]
    assert list(value) == [step.key for step in task.steps]


def test_waits_between_attempts_are_those_of_the_policy(reports: list[Report]) -> None:
    """Two transient failures wait half of 1 and half of 2 seconds when half is drawn."""
    _script.extend([InputUnreachable("a"), MemoryError()])
    script = Script()
    assert run_task(_task(_plan(1.0)), _context(), clock=script.clock()) == 1.0
    assert script.waits == [0.5, 1.0]
    assert [report.status for report in reports] == [
        Status.RETRYING,
        Status.RETRYING,
        Status.COMPUTED,
    ]
    assert reports[-1].attempts == 3


def test_a_permanent_error_is_a_value(reports: list[Report]) -> None:
    """An exception of a kernel becomes a failure after one attempt."""
    _script.append(ValueError("too odd"))
    value = run_task(_task(_plan(1.0)), _context())
    assert isinstance(value, Failed)
    assert (value.failure.error, value.failure.message, value.failure.transient) == (
        "ValueError",
        "too odd",
        False,
    )
    assert _calls == [1.0]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Mute(), "Mute"),
        (ValueError(), "ValueError"),
        (OSError("a\udcff.nii"), "a\\udcff.nii"),
        (ValueError("x" * 3000 + "y" * 50_000_000), f"{'x' * 2000} … {'y' * 2000}"),
    ],
)
def test_any_message_can_be_reported(
    reports: list[Report], error: BaseException, message: str
) -> None:
    """Messages that are missing, endless or no Unicode reach the driver, in a form that can."""
    _script.append(error)
    value = run_task(_task(_plan(1.0)), _context())
    assert isinstance(value, Failed)
    assert (value.failure.error, value.failure.message) == (type(error).__name__, message)
    assert decode_batch(encode_batch("run", reports)).reports == tuple(reports)


def test_a_kernel_that_changes_its_list_changes_no_other_value(reports: list[Report]) -> None:
    """An operation gets the original list, whatever another one did or does with its copy."""
    _kept.clear()
    make = PlanMaker()
    numbers = make("sequence", 1.0, 2.0)
    make.show("first", make("task.growing", numbers))
    make.show("second", make("task.growing", make("subsequence", numbers, 0.0, 2.0)))
    make.show("numbers", numbers)
    values = run_task(_task(make), _context())
    assert isinstance(values, dict)
    assert sorted(map(str, values.values())) == ["[1.0, 2.0]", "[3, 3]", "[3]"]


def test_a_run_continues_with_the_value_in_the_store(reports: list[Report]) -> None:
    """The first value of a nondeterministic operation is used; a refresh replaces it."""
    store = fresh_store()
    make = PlanMaker()
    first = make("task.scripted", 1.0)
    make.show("first", first)
    make.show("above", make("addition", first, 1.0))
    task = _task(make)
    held = open_store(store.url).put(task.steps[0].key, 5.0)
    now = time.time()
    values = run_task(task, _context(store, resolved=now))
    assert isinstance(values, dict)
    assert list(values.values()) == [5.0, 6.0]
    assert reports[0].stored == "nondeterministic"
    assert (reports[0].digest, reports[0].summary) == (held.digest, "5.0")
    refreshing = replace(_context(store, resolved=now), reads=False, replaces=True)
    again = run_task(task, refreshing)
    assert isinstance(again, dict)
    assert list(again.values()) == [1.0, 2.0]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_kernel_cannot_end_its_worker(reports: list[Report], error: BaseException) -> None:
    """A kernel that raises SystemExit or KeyboardInterrupt fails; the worker goes on."""
    make = PlanMaker()
    make.show("x", make("task.scripted", 1.0))
    _script.append(error)
    with ThreadPoolExecutor(1) as pool:
        value = pool.submit(run_task, _task(make), _context()).result()
    assert isinstance(value, Failed)
    assert (value.failure.error, value.failure.transient) == (type(error).__name__, False)
    assert [report.status for report in reports] == [Status.FAILED]


def test_a_user_can_interrupt(reports: list[Report]) -> None:
    """In the main thread a KeyboardInterrupt is not a failure of the kernel."""
    make = PlanMaker()
    make.show("x", make("task.scripted", 1.0))
    _script.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run_task(_task(make), _context())


def test_dependents_of_a_failure_are_skipped(reports: list[Report]) -> None:
    """Their reports have the key of the operation that failed first."""
    _script.append(ValueError("too odd"))
    make = PlanMaker()
    make.show("x", make("addition", make("task.scripted", 1.0), 5.0))
    value = run_task(_task(make), _context())
    assert isinstance(value, Failed)
    assert [report.status for report in reports] == [Status.FAILED, Status.SKIPPED]
    assert reports[1].origin == reports[0].key == value.key


def test_a_failed_put_does_not_repeat_the_computation(reports: list[Report]) -> None:
    """When only storing fails, only storing is retried."""
    script, shaky = Script(), Shaky(1)
    context = _context(shaky)
    assert run_task(_task(_plan(7.0)), context, clock=script.clock()) == 7.0
    assert _calls == [7.0]
    assert shaky.puts == 2
    assert reports[-1].stored == "created"


def test_a_record_has_the_provenance_of_its_value() -> None:
    """It has the kernel, the time of creation and the versions of voxk8s and of libraries."""
    store, script = fresh_store(), Script()
    script.time = 1.5e9
    task = _task(_plan(7.0))
    run_task(task, _context(store, resolved=1.5e9), clock=script.clock())
    record = store.record(ResultKey(str(task.key)))
    assert record is not None
    provenance = record.provenance
    assert (provenance.kernel, provenance.created, provenance.voxk8s_version) == (
        "task.scripted",
        1.5e9,
        __version__,
    )
    assert provenance.libraries == registry().libraries("task.scripted")


def test_a_kernel_of_another_version_is_not_called(reports: list[Report]) -> None:
    """A worker with an older package would store other values under the key of the newer one."""
    store, task = fresh_store(), _task(_plan(7.0))
    [step] = task.steps
    task = replace(task, steps=(change(step, rule=change(step.rule, version=KernelVersion(9))),))
    result = run_task(task, _context(store), clock=Script().clock())
    assert isinstance(result, Failed)
    assert "task.scripted: expected version 9" in result.failure.message
    assert not result.failure.transient
    assert _calls == []
    assert store.record(ResultKey(str(task.key))) is None
    assert [each.attempts for each in reports] == [1]


def test_a_store_outage_delays_a_task(reports: list[Report]) -> None:
    """Waits of some seconds block the thread, and nothing is computed again."""
    script, shaky = Script(), Shaky(20)
    context = _context(shaky, patience=600.0)
    assert run_task(_task(_plan(7.0)), context, clock=script.clock()) == 7.0
    assert _calls == [7.0]
    assert len(script.holds) == 20
    assert max(script.holds) == 5.0
    assert script.waits == []
    assert reports[-1].stored == "created"


def test_a_long_store_outage_fails_the_operation(reports: list[Report]) -> None:
    """The operation fails when the store was unreachable for longer than the limit."""
    script, shaky = Script(), Shaky(10_000)
    context = _context(shaky, patience=600.0)
    assert isinstance(run_task(_task(_plan(7.0)), context, clock=script.clock()), Failed)
    assert 600 <= script.time < 700
    assert reports[-1].failure is not None
    assert reports[-1].failure.reason == REASON_STORE_UNREACHABLE
    assert reports[-1].failure.transient


def test_a_cancelled_run_does_not_wait_for_the_store() -> None:
    """A run that is cancelled during an outage ends after the current wait."""
    runtime.subscribe("left", lambda _, __: None)
    script, shaky = Script(), Shaky(10_000)
    context = replace(_context(shaky, patience=600.0), id="left")
    clock = script.clock()

    def leave(seconds: float) -> None:
        script.hold(seconds)
        runtime.cancel_run("left")

    clock.block = leave
    value = run_task(_task(_plan(7.0)), context, clock=clock)
    assert isinstance(value, Failed)
    assert value.failure.is_recomputable
    assert len(script.holds) == 1


def test_a_result_that_need_not_be_stored_survives_an_outage(reports: list[Report]) -> None:
    """The result of an operation that is not a goal is used without being stored."""

    class Away:
        """An unreachable store."""

        def has_put(self, _: str) -> bool:
            return False

        def get(self, key: str) -> Value:
            raise StoreUnreachable("away")

        def put(self, *_: object, **__: object) -> PutResult:
            raise StoreUnreachable("away")

    make = _plan(7.0)
    context = _context(Away())
    script = Script()
    task = _task(make, must_store=False)

    def later() -> float:
        script.time += 100.0
        return script.time

    clock = Clock(script.clock().now, later, script.waits.append, lambda: 0.5)
    assert run_task(task, context, clock=clock) == 7.0
    assert not script.waits
    assert reports[-1].stored == ""


def test_a_stale_lookup_is_repeated(reports: list[Report]) -> None:
    """A result that another run stored meanwhile is read and reported as found."""
    store = fresh_store()
    task = _task(_plan(1.0))
    open_store(store.url).put(task.steps[0].key, 99.0)
    script = Script()
    script.time = 1000.0
    for asked in (999.5, 900.0):
        shared_work._seconds.clear()
        assert run_task(task, _context(store, resolved=asked), clock=script.clock()) == 99.0
    assert _calls == [1.0]
    assert [report.status for report in reports] == [Status.COMPUTED, Status.FOUND]


@pytest.mark.parametrize("seconds", [0.01, 1.0])
def test_only_an_expensive_step_is_looked_up_again(seconds: float, reports: list[Report]) -> None:
    """A step of milliseconds is computed: on a distant store that is faster than to ask."""
    store = fresh_store()
    task = _task(_plan(1.0))
    open_store(store.url).put(task.steps[0].key, 1.0)
    shared_work._seconds["task.scripted"] = seconds
    before = store.counts
    run_task(task, _context(store, resolved=-100.0))
    assert len(_calls) == (1 if seconds < LOOKUP_WORTH_SECONDS else 0)
    assert (store.counts.hits > before.hits) == (seconds >= LOOKUP_WORTH_SECONDS)


def test_what_this_process_has_stored_is_read(reports: list[Report]) -> None:
    """The second of two runs in a process computes nothing again, however new its lookup is."""
    store = fresh_store()
    task = _task(_plan(1.0))
    for _ in range(2):
        run_task(task, _context(store, resolved=time.time()))
    assert _calls == [1.0]
    assert [report.status for report in reports] == [Status.COMPUTED, Status.FOUND]


def test_a_result_that_is_gone_again_is_computed(reports: list[Report]) -> None:
    """That this process has stored a result does not prove that it is still there."""
    store = fresh_store()
    task = _task(_plan(1.0))
    run_task(task, _context(store, resolved=time.time()))
    open_store(store.url).delete([task.steps[0].key])
    assert run_task(task, _context(store, resolved=time.time())) == 1.0
    assert _calls == [1.0, 1.0]


def test_small_goals_are_in_their_report(reports: list[Report]) -> None:
    """The report of a small goal has its value, its summary and its digest."""
    run_task(_task(_plan(2.5)), _context(fresh_store()))
    assert reports[0].value is not None
    assert reports[0].summary == "2.5"
    assert len(reports[0].digest) == 64


def test_large_reports_are_sent_in_several_messages() -> None:
    """The scheduler remembers a number of messages, and may have little memory."""
    messages: list[int] = []

    def receive(_: str, found: Iterable[Report]) -> None:
        messages.append(sum(len(report.value or b"") for report in found))

    runtime.subscribe(RUN, receive)
    make = PlanMaker()
    for number in range(100):
        make.show(f"x{number}", make("sequence", *(number + place / 7 for place in range(800))))
    run_task(_task(make), _context())
    runtime.forget_run(RUN)
    assert sum(messages) > 2.5 * FLUSH_BYTES
    assert max(messages) <= FLUSH_BYTES + INLINE_VALUE_BYTES


def test_a_cancelled_run_stops_between_operations(reports: list[Report]) -> None:
    """No operation starts after a cancellation."""
    runtime.subscribe("cancelled", lambda _, __: None)
    runtime.cancel_run("cancelled")
    task = _task(_plan(1.0))
    value = run_task(task, replace(_context(), id="cancelled"))
    assert isinstance(value, Failed)
    assert value.failure.is_recomputable
    assert not _calls
