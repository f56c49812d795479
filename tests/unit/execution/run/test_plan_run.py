"""One run of a plan, from its first event to its result."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.plans_and_runs import (
    Memory,
    PlanMaker,
    RaisingExecutor,
    engine_on,
    fresh_store,
    write_image,
)
from tests.support.slow_refresh import hold_refreshes
from tests.support.waiting import wait_until
from voxk8s.errors import SchedulerLost, StoreError, StoreUnreachable
from voxk8s.execution.events import (
    GoalReached,
    OperationFinished,
    PlanResolved,
    ProgressChanged,
    RunFinished,
    RunStarted,
)
from voxk8s.execution.executors.protocol import ExecutorStopped
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.executors.task_pool import TaskPool
from voxk8s.execution.executors.threads import ThreadsExecutor
from voxk8s.execution.executors.worker_threads import Job
from voxk8s.execution.run import plan_run, run_costs
from voxk8s.execution.run.message_handler import CANCELLED
from voxk8s.execution.run.plan_run import PlanRun
from voxk8s.execution.run_config import RunConfig
from voxk8s.execution.worker import runtime
from voxk8s.kernels import kernel, registry
from voxk8s.plan import WorkPlan, key_graph
from voxk8s.storage import MISS, ResultStore, open_store
from voxk8s.storage.kernel_costs import KernelCosts


def _run(plan: WorkPlan, store: ResultStore, executor: Any = None, **more: Any) -> PlanRun:
    config = RunConfig.from_options(
        store, executor or SynchronousExecutor(), {"write_files": False}
    )
    return PlanRun(uuid4().hex, plan, config, more.pop("listeners", ()), **more)


def _sum() -> WorkPlan:
    make = PlanMaker()
    make.show("sum", make("addition", make("multiplication", 3.0, 4.0), 5.0))
    return make.plan()


def test_events_tell_the_run_in_its_order() -> None:
    """It starts, is resolved, computes, reaches its goals, and ends with the counts of all."""
    memory = Memory()
    result = _run(_sum(), fresh_store(), listeners=[memory]).execute()
    events = [event for event in memory.events if not isinstance(event, ProgressChanged)]
    assert [type(event) for event in events] == [
        RunStarted,
        PlanResolved,
        OperationFinished,
        OperationFinished,
        GoalReached,
        RunFinished,
    ]
    [finished] = memory.of(RunFinished)
    assert memory.counts[-1] == finished.progress == result.progress
    assert (finished.success, result.progress.computed) == (True, 2)
    assert dict(result) == {"sum": 17.0}


def test_a_known_plan_never_starts_a_session() -> None:
    """All that it needs is in the store."""
    store = fresh_store()
    _run(_sum(), store).execute()
    assert dict(_run(_sum(), store, RaisingExecutor()).execute()) == {"sum": 17.0}


def test_a_run_that_was_cancelled_before_computes_nothing() -> None:
    """Its goals say why they have no result."""
    run = _run(_sum(), fresh_store(), RaisingExecutor())
    run.cancel()
    result = run.execute()
    assert (result.cancelled, result.success) == (True, False)
    assert result.goals[0].failure is not None
    assert result.goals[0].failure.message == CANCELLED
    assert result.goals[0].transient


def test_a_listener_may_cancel_the_run() -> None:
    """The operations of the task that is running may end; no goal is lost that was reached."""
    runs: list[PlanRun] = []

    def cancel(event: object) -> None:
        if isinstance(event, PlanResolved):
            runs[0].cancel()

    runs.append(_run(_sum(), fresh_store(), listeners=[cancel]))
    assert runs[0].execute().cancelled


def test_a_run_is_not_cancelled_after_its_last_goal() -> None:
    """Whoever does is late: it has every result."""
    runs: list[PlanRun] = []

    def cancel(event: object) -> None:
        if isinstance(event, OperationFinished) and "addition" in event.kernel:
            runs[0].cancel()

    runs.append(_run(_sum(), fresh_store(), listeners=[cancel]))
    result = runs[0].execute()
    assert (result.cancelled, result.success) == (False, True)


@pytest.mark.parametrize("cancelled", [True, False])
def test_the_executor_of_a_cancelled_run_may_go_first(cancelled: bool) -> None:
    """Its cluster is deleted together with the run, of which the result says what is known."""
    runs: list[PlanRun] = []

    def stop(event: object) -> None:
        if isinstance(event, PlanResolved):
            runs[0]._queue.put(ExecutorStopped("the scheduler is gone"))
            if cancelled:
                runs[0].cancel()

    runs.append(_run(_sum(), fresh_store(), listeners=[stop]))
    if cancelled:
        assert runs[0].execute().cancelled
    else:
        with pytest.raises(SchedulerLost):
            runs[0].execute()


def test_a_run_leaves_nothing_in_its_process() -> None:
    """Its report handler and its input options are forgotten, also after an error."""
    run = _run(_sum(), fresh_store())
    run.execute()
    broken = _run(_sum(), fresh_store(), RaisingExecutor())
    with pytest.raises(AssertionError):
        broken.execute()
    for each in (run, broken):
        assert each.name not in runtime._shared.report_handlers
        assert each.name not in runtime._shared.inputs


def _large() -> WorkPlan:
    make = PlanMaker()
    make.show("numbers", make("sequence", *[float(number) for number in range(3000)]))
    return make.plan()


def test_a_value_that_vanished_after_the_run_is_recomputed() -> None:
    """It is computed when it is read, in a run of its own."""
    store = fresh_store()
    result = _run(_large(), store).execute()
    assert result.goals[0].key is not None
    store.delete([result.goals[0].key])
    assert result["numbers"] == [float(number) for number in range(3000)]


def test_a_value_whose_input_has_changed_is_not_replaced_by_another(tmp_path: Path) -> None:
    """What is computed again has the content of the input that the run has seen, or fails."""
    path = write_image(tmp_path / "i.nii.gz", 1.0, (2, 3, 2))
    make, store = PlanMaker(), fresh_store()
    make.show("i", make("load", path))
    result = _run(make.plan(), store).execute()
    assert result.goals[0].key is not None
    store.delete([result.goals[0].key])
    write_image(tmp_path / "i.nii.gz", 2.0, (2, 3, 2))
    with pytest.raises(StoreError, match="vanished from the store"):
        result["i"]


def test_a_run_may_leave_vanished_values_alone() -> None:
    """A run for one value does not start another one for the same value."""
    store = fresh_store()
    result = _run(_large(), store, recomputes=False).execute()
    assert result.goals[0].key is not None
    store.delete([result.goals[0].key])
    with pytest.raises(StoreError, match="has vanished from the store"):
        result["numbers"]


class _Forgetful:
    """A store that holds nothing of what it says it holds."""

    def __init__(self) -> None:
        self._store = fresh_store()

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def get(self, key: str) -> object:
        self._store.delete([key])
        return MISS


def test_a_value_that_vanishes_whenever_it_is_stored_is_computed_without_the_store() -> None:
    """A reader gets it all the same."""
    store: ResultStore = _Forgetful()  # type: ignore[assignment]
    result = _run(_large(), store).execute()
    assert result["numbers"] == [float(number) for number in range(3000)]


def test_a_file_that_vanishes_whenever_it_is_stored_is_written(tmp_path: Path) -> None:
    """After some attempts it is computed without the store."""
    make = PlanMaker()
    make.save("sum.json", make("addition", 1.0, 2.0))
    store: ResultStore = _Forgetful()  # type: ignore[assignment]
    engine = engine_on(store, SynchronousExecutor(), output=tmp_path, write_files=True)
    result = engine.execute_workplan(make.plan())
    assert result.success, result.failures
    assert (tmp_path / "sum.json").read_text() == "3.0\n"


def test_places_of_a_program_are_in_failures() -> None:
    """An operation that fails has the place that the caller gave for it."""
    make = PlanMaker()
    make.show("bad", make("addition", "text", 1.0))
    plan = make.plan()
    places = {plan.goals[0].id: "a.imgql:2:5"}
    [failure] = _run(plan, fresh_store(), places=places).execute().failures
    assert failure.place == "a.imgql:2:5"


def test_a_run_waits_until_what_it_used_is_marked_as_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records of known goals are young again when it ends, however many there are."""
    make = PlanMaker()
    for number in range(400):
        make.show(str(number), make("multiplication", float(number), 2.0))
    store, plan = open_store(str(tmp_path)), make.plan()
    _run(plan, store).execute()
    records = [path for path in (tmp_path / "ac").rglob("*") if path.is_file()]
    assert len(records) == 400
    for path in records:
        os.utime(path, (0, 0))
    hold_refreshes(monkeypatch)
    assert _run(plan, open_store(str(tmp_path))).execute().progress.cached == 400
    assert all(path.stat().st_mtime > 0 for path in records)


def test_a_run_goes_on_while_its_store_takes_what_it_has_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It handles messages and ends, however long that takes, and waits at its end, not for long."""
    monkeypatch.setattr(run_costs, "FLUSH_SECONDS", -1.0)
    monkeypatch.setattr(run_costs, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(plan_run, "END_SECONDS", 0.0)
    store, memory, may_answer = fresh_store(), Memory(), threading.Event()
    answered: list[bool] = []
    monkeypatch.setattr(store.costs, "add", lambda _: answered.append(may_answer.wait(30)))
    assert _run(_sum(), store, listeners=[memory]).execute()["sum"] == 17.0
    assert len(memory.of(RunFinished)) == 1
    assert not answered
    may_answer.set()
    wait_until(lambda: answered == [True])


def test_a_run_that_raises_records_what_it_has_used_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next attempt needs both; the error is that of the run."""
    make = PlanMaker()
    for number in range(100):
        make.show(str(number), make("multiplication", float(number), 2.0))
    _run(make.plan(), open_store(str(tmp_path))).execute()
    records = [path for path in (tmp_path / "ac").rglob("*") if path.is_file()]
    for path in records:
        os.utime(path, (0, 0))
    hold_refreshes(monkeypatch)
    monkeypatch.setattr(run_costs, "WORTH_SECONDS", 0.0)
    store = open_store(str(tmp_path))
    measured: list[KernelCosts] = []
    monkeypatch.setattr(store.costs, "add", measured.append)

    def refuse(*_: object) -> None:
        raise StoreUnreachable("away")

    monkeypatch.setattr(store, "records", refuse)
    make.show("new", make("addition", 1.0, 2.0))
    with pytest.raises(StoreUnreachable, match="away"):
        _run(make.plan(), store).execute()
    assert all(path.stat().st_mtime > 0 for path in records)
    assert [kernel for costs in measured for kernel, _, _ in costs] == ["default.addition"]


def test_ctrl_c_leaves_the_threads_of_all_runs_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is interrupted while it hands out tasks leaves none behind, and no thread lost."""
    pool = TaskPool()
    executor, main = ThreadsExecutor(pool), threading.main_thread().ident
    assert main is not None
    add = pool.threads.add

    def add_and_interrupt(job: Job, rank: float) -> None:
        monkeypatch.setattr(pool.threads, "add", add)
        signal.pthread_kill(main, signal.SIGINT)
        add(job, rank)

    monkeypatch.setattr(pool.threads, "add", add_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        _run(_sum(), fresh_store(), executor).execute()
    wait_until(lambda: not pool._tasks and not pool.threads._active)
    assert _run(_sum(), fresh_store(), executor).execute()["sum"] == 17.0


def test_ctrl_c_gives_back_the_leases_of_what_is_still_running() -> None:
    """The process may end before its kernels do: the next run waits for none of them."""
    main, may_end = threading.main_thread().ident, threading.Event()
    assert main is not None

    def blocked(x: float) -> float:
        signal.pthread_kill(main, signal.SIGINT)
        may_end.wait(20)
        return x

    kernel("interrupted.blocked")(blocked)
    make = PlanMaker()
    make.show("x", make("interrupted.blocked", 1.0))
    plan, store = make.plan(), fresh_store()
    key = key_graph(plan, registry()).goals[0].key
    assert key is not None
    try:
        with pytest.raises(KeyboardInterrupt):
            _run(plan, store, ThreadsExecutor(TaskPool())).execute()
        assert store.lease(key, "another", seconds=60).acquire() is None
    finally:
        may_end.set()
