"""Several runs at once in one process, runs that are stopped, and runs on a real S3 server."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client

from tests.support.dask_processes import worker_processes
from tests.support.plans_and_runs import QUICK, Memory, PlanMaker, fresh_store
from tests.support.s3 import S3Server
from tests.support.waiting import wait_until
from voxk8s.execution import (
    ExecutionEngine,
    ExecutionResult,
    close_shared_dask_client,
    get_operation_future,
)
from voxk8s.execution.events import OperationFinished, RunStarted
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.kernels import kernel
from voxk8s.plan import WorkPlan
from voxk8s.storage import ResultStore

_calls: list[float] = []
_failing = threading.Event()
_chosen: list[str] = []


@kernel("together.slow")
def slow(x: float) -> float:
    """Take a while, and count."""
    _calls.append(x)
    time.sleep(0.2)
    return x + 1


@kernel("together.moody")
def moody(x: float) -> float:
    """Fail while the switch is on."""
    if _failing.is_set():
        raise ValueError("not today")
    return x


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Test kernels on, no calls counted, no client left."""
    monkeypatch.setenv("VOXK8S_TEST_KERNELS", "1")
    _calls.clear()
    _failing.clear()
    yield
    close_shared_dask_client()


@pytest.fixture(params=["local", "threads"], autouse=True)
def executor(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each executor of this process that runs share, in turn."""
    _chosen.append(request.param)
    yield
    _chosen.clear()


def _local(store: ResultStore, **options: object) -> ExecutionEngine:
    return ExecutionEngine(store, executor=_chosen[0], retry=QUICK, write_files=False, **options)  # type: ignore[arg-type]  # options of the engine


def _at_once(plans: list[WorkPlan], store: ResultStore) -> list[ExecutionResult]:
    results: dict[int, ExecutionResult] = {}
    barrier = threading.Barrier(len(plans))

    def run(number: int, plan: WorkPlan) -> None:
        barrier.wait()
        results[number] = _local(store).execute_workplan(plan)

    threads = [
        threading.Thread(target=run, args=(number, plan)) for number, plan in enumerate(plans)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [results[number] for number in range(len(plans))]


def test_the_same_plan_at_once_is_computed_once() -> None:
    """Eight runs of one plan in one process perform each operation once and all have its values."""
    make = PlanMaker()
    for number in range(4):
        make.show(f"x{number}", make("addition", make("together.slow", float(number)), 1.0))
    plan = make.plan()
    results = _at_once([plan] * 8, fresh_store())
    assert sorted(_calls) == [0.0, 1.0, 2.0, 3.0]
    assert {tuple(result.values()) for result in results} == {(2.0, 3.0, 4.0, 5.0)}
    assert sum(result.completed_operations for result in results) == 8


def test_plans_that_overlap_share_what_is_under_way() -> None:
    """Two plans with different goals over one expensive operation compute that one once."""
    plans = []
    for number in range(2):
        make = PlanMaker()
        make.show("x", make("addition", make("together.slow", 5.0), float(number)))
        plans.append(make.plan())
    results = _at_once(plans, fresh_store())
    assert _calls == [5.0]
    assert [result["x"] for result in results] == [6.0, 7.0]


def test_a_failure_does_not_stick() -> None:
    """What failed in one run is computed in the next, at once after it."""
    make = PlanMaker()
    make.show("x", make("together.moody", 3.0))
    plan, store = make.plan(), fresh_store()
    for _ in range(5):
        _failing.set()
        assert "not today" in (_local(store).execute_workplan(plan).goals[0].error or "")
        _failing.clear()
        assert _local(store).execute_workplan(plan)["x"] == 3.0
        store.delete([_key(plan, store)])


def _key(plan: WorkPlan, store: ResultStore) -> str:
    return _local(store).execute_workplan(plan).goals[0].key or ""


def test_none_is_a_value() -> None:
    """A kernel that returns None is computed once; a stored None is a hit."""
    calls = []

    @kernel("together.nothing", version=1)
    def nothing(x: float) -> None:
        """Return nothing."""
        calls.append(x)

    make = PlanMaker()
    make.show("n", make("together.nothing", 1.0))
    plan, store = make.plan(), fresh_store()
    for _ in range(2):
        result = _local(store).execute_workplan(plan)
        assert dict(result) == {"n": None}
    assert calls == [1.0]


def test_a_run_can_be_cancelled() -> None:
    """A cancelled run ends soon, with what it has; the next run goes on from the store."""
    make = PlanMaker()
    node = make("test.sleep", 0.05)
    first = node
    for _ in range(60):
        node = make("test.sleep", make("test.identity", node))
    make.show("first", first)
    make.show("last", node)
    plan, store, memory = make.plan(), fresh_store(), Memory()
    engine = _local(store, listeners=[memory])
    results: list[ExecutionResult] = []
    thread = threading.Thread(target=lambda: results.append(engine.execute_workplan(plan)))
    thread.start()
    wait_until(lambda: len(memory.of(OperationFinished)) >= 3)
    engine.cancel()
    thread.join(30)
    [result] = results
    assert result.cancelled
    assert not result.success
    assert dict(result) == {"first": 0.05}
    assert "cancelled" in (result.goals[1].error or "")
    assert _local(store).execute_workplan(plan).success


def test_futures_are_there_while_an_operation_runs() -> None:
    """A goal under way has a future by its operation id, which gives its value and then goes."""
    make = PlanMaker()
    make.show("x", make("together.slow", 1.0))
    plan, memory = make.plan(), Memory()
    goal = plan.goals[0].id
    engine = _local(fresh_store(), listeners=[memory])
    thread = threading.Thread(target=engine.execute_workplan, args=(plan,))
    thread.start()
    wait_until(lambda: bool(memory.of(RunStarted)) and get_operation_future(goal) is not None)
    future = get_operation_future(goal)
    assert future.result(30) == 2.0  # type: ignore[attr-defined]  # a Dask future
    thread.join(30)
    assert get_operation_future(goal) is None


def test_a_clean_run_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """No warning and no error is logged while a plan runs and the client closes."""
    make = PlanMaker()
    for number in range(50):
        make.show(f"x{number}", make("test.identity", make("addition", float(number), 1.0)))
    # asyncio says of what earlier tests have left that nobody asked for it, when it is collected.
    gc.collect()
    with caplog.at_level(logging.WARNING):
        assert _local(fresh_store()).execute_workplan(make.plan()).success
        close_shared_dask_client()
    assert not caplog.records


@pytest.mark.s3
def test_workers_write_to_s3(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a cluster results go from workers to the S3 store; a second run computes nothing."""
    for name, value in s3_server.env.items():
        monkeypatch.setenv(name, value)
    store = s3_server.store()
    make = PlanMaker()
    node = make("test.identity", 1.0)
    for _ in range(300):
        node = make("addition", node, 1.0)
    make.show("sum", node)
    make.save("out.json", node)
    plan = make.plan()
    with (
        worker_processes(threads=1) as cluster,
        Client(cluster) as client,
    ):
        engine = ExecutionEngine(store, executor=DistributedExecutor(client), retry=QUICK)
        result = engine.execute_workplan(plan)
    assert result["sum"] == 301.0
    assert store.read_blob(result.goals[1].digest) == b"301.0\n"
    same = s3_server.store(store.url.partition("//")[2].partition("/")[2])
    again = ExecutionEngine(same, output=tmp_path)
    known = again.execute_workplan(plan)
    assert known.completed_operations == 0
    assert known["sum"] == 301.0


def test_files_stay_below_the_output_folder(tmp_path: Path) -> None:
    """A saved file whose name leaves the output folder is refused before anything runs."""
    from voxk8s.errors import InvalidPlan

    make = PlanMaker()
    make.save("../x.json", make("addition", 1.0, 1.0))
    with pytest.raises(InvalidPlan, match="leaves the output folder"):
        ExecutionEngine(fresh_store(), output=tmp_path).execute_workplan(make.plan())
