"""What a run loses while it runs: blobs, records, workers, and tasks that another run cancels."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from tests.support.dask_processes import worker_processes
from tests.support.plans_and_runs import Memory, PlanMaker, Unfused, engine_on, fresh_store
from tests.support.waiting import wait_until
from voxk8s.execution import ExecutionResult, close_shared_dask_client
from voxk8s.execution.events import Event, OperationFinished, PlanResolved
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.execution.executors.dask_session import DaskSession
from voxk8s.execution.executors.protocol import Executor
from voxk8s.execution.executors.shared_client import get_shared_dask_client
from voxk8s.execution.operation_reports import Failed
from voxk8s.failure import CANCELLED, RESULT_GONE, Failure
from voxk8s.kernels import kernel, registry
from voxk8s.plan import KeyOperation, ResultKey, WorkPlan, key_graph
from voxk8s.storage import ResultStore, open_store

NUMBERS = [math.sin(number) for number in range(1500)]
"""Too many for a record: they go to a blob."""
_calls: list[float] = []
_go_on = threading.Event()


@kernel("losses.counted")
def counted(x: float) -> float:
    """Count the calls."""
    _calls.append(x)
    return x


@kernel("losses.slow")
def slow(x: float) -> float:
    """Wait until the test goes on."""
    _calls.append(x)
    _go_on.wait(30)
    return x


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers in processes of their own, watched by nannies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXK8S_TEST_KERNELS", "1")
        with worker_processes(allowed_failures=0) as cluster:
            yield cluster


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test kernels are on, no call was counted."""
    monkeypatch.setenv("VOXK8S_TEST_KERNELS", "1")
    _calls.clear()
    _go_on.clear()


@pytest.fixture(params=["local", "distributed"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Threads of this process, and processes."""
    if request.param == "local":
        yield find_executor("local")
        close_shared_dask_client()
        return
    with Client(request.getfixturevalue("cluster")) as client:
        yield DistributedExecutor(client)


def _base(make: PlanMaker) -> str:
    return make("test.identity", make("sequence", *NUMBERS))


def _spoil(folder: Path, harm: str) -> None:
    [blob] = [path for path in (folder / "cas").rglob("*") if path.is_file()]
    data = blob.read_bytes()
    blob.unlink()
    if harm == "changed":
        blob.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])


def _goals_above(goals: int) -> PlanMaker:
    make = PlanMaker()
    base = _base(make)
    for number in range(goals):
        item = make("test.identity", make("index", base, float(number)))
        make.show(f"x{number}", make("addition", item, 1.0))
    return make


@pytest.mark.parametrize("reason", [RESULT_GONE, CANCELLED])
def test_a_failure_that_another_run_has_left_behind_is_not_used_again_and_again(
    executor: Executor, reason: str
) -> None:
    """It is the value of a task that this run holds for a loop, and no report on it came."""
    make = PlanMaker()
    first = make("test.identity", 3.0)
    make.show("x", make.loop(make("range", first), "addition", captured=first))
    plan = make.plan()
    [key] = [
        node.key
        for node in key_graph(plan, registry()).nodes.values()
        if isinstance(node, KeyOperation) and node.kernel == "test.identity"
    ]
    client = (
        executor._client if isinstance(executor, DistributedExecutor) else get_shared_dask_client()
    )
    failed = Failed(key, Failure("of an earlier run", reason))
    left = client.submit(lambda: failed, key=f"test.identity-{key}")
    assert left.result() == failed
    engine = engine_on(fresh_store(), executor, scheduling=Unfused())
    hang = threading.Timer(30, engine.cancel)
    hang.start()
    result = engine.execute_workplan(plan)
    hang.cancel()
    assert [goal.failure for goal in result.goals] == [None]
    assert result["x"] == [3.0, 4.0, 5.0]


@pytest.mark.parametrize("harm", ["changed", "deleted"])
@pytest.mark.parametrize("goals", [1, 4, 20])
@pytest.mark.parametrize("policy", ["default", "unfused"])
def test_one_loss_heals_under_any_number_of_goals(
    executor: Executor, tmp_path: Path, goals: int, harm: str, policy: str
) -> None:
    """It is computed once more, however many goals depend on it."""
    store = open_store(str(tmp_path))
    first = PlanMaker()
    first.show("base", _base(first))
    engine_on(store, executor).execute_workplan(first.plan())
    _spoil(tmp_path, harm)
    memory = Memory()
    scheduling = "default" if policy == "default" else Unfused()
    engine = engine_on(
        open_store(str(tmp_path)), executor, listeners=[memory], scheduling=scheduling
    )
    result = engine.execute_workplan(_goals_above(goals).plan())
    assert list(result.values()) == [NUMBERS[number] + 1 for number in range(goals)]
    assert result.success
    again = [event for event in memory.of(OperationFinished) if event.kernel == "default.sequence"]
    assert len(again) == 1


def test_two_loops_over_a_sequence_that_is_spoilt(executor: Executor, tmp_path: Path) -> None:
    """Both are written out over the sequence that was computed again."""

    def loops() -> PlanMaker:
        make = PlanMaker()
        base = _base(make)
        for number, operator in enumerate(("test.identity", "sequence")):
            make.show(f"x{number}", make.loop(base, operator))
        return make

    store = open_store(str(tmp_path))
    first = PlanMaker()
    first.show("base", _base(first))
    engine_on(store, executor).execute_workplan(first.plan())
    _spoil(tmp_path, "changed")
    result = engine_on(open_store(str(tmp_path)), executor).execute_workplan(loops().plan())
    assert result["x0"] == NUMBERS
    assert result["x1"] == [[number] for number in NUMBERS]


def test_results_deleted_during_a_run_are_computed_again(
    executor: Executor, tmp_path: Path
) -> None:
    """A collection during the run takes what it has looked up and not read yet."""
    store = open_store(str(tmp_path))
    first = PlanMaker()
    first.show("base", _base(first))
    engine_on(store, executor).execute_workplan(first.plan())
    make = _goals_above(6)
    place = make("subtraction", make("test.sleep", 0.3), 0.3)
    make.show("late", make("index", _base(make), place))

    def collect(event: Event) -> None:
        if isinstance(event, OperationFinished):
            for path in tmp_path.rglob("*"):
                if path.is_file() and path.parts[-4] in ("cas", "ac"):
                    path.unlink(missing_ok=True)

    engine = engine_on(open_store(str(tmp_path)), executor, listeners=[collect])
    result = engine.execute_workplan(make.plan())
    assert {name: result[name] for name in ("x0", "x5", "late")} == {
        "x0": NUMBERS[0] + 1,
        "x5": NUMBERS[5] + 1,
        "late": NUMBERS[0],
    }


class _Killer:
    """Kills all workers at once after every few operations, some times."""

    def __init__(self, cluster: LocalCluster, times: int) -> None:
        self._cluster, self._times, self._seen = cluster, times, 0
        self._killed: set[str] = set()

    def __call__(self, event: Event) -> None:
        if isinstance(event, OperationFinished):
            self._seen += 1
            # A process that dies while it starts is not started again, and a busy scheduler still
            # lists those that have just died.
            scheduler: Any = self._cluster.scheduler
            workers = set(scheduler.workers)
            all_run = len(workers) == len(self._cluster.workers) and not workers & self._killed
            if self._times and self._seen >= 5 and all_run:
                self._times, self._seen, self._killed = self._times - 1, 0, workers
                for nanny in list(self._cluster.workers.values()):
                    os.kill(nanny.process.pid, signal.SIGKILL)


def test_all_workers_killed_at_once_fail_no_goal(cluster: LocalCluster, tmp_path: Path) -> None:
    """Thirteen goals above operations that ran on them are reached, though Dask blames some."""
    make = PlanMaker()
    for column in range(13):
        node = make("addition", 0.05, column * 1e-6)
        for _ in range(3):
            node = make("test.sleep", make("test.identity", node))
        make.show(f"x{column}", node)
    with Client(cluster) as client:
        engine = engine_on(
            fresh_store(tmp_path), DistributedExecutor(client), listeners=[_Killer(cluster, 2)]
        )
        result = engine.execute_workplan(make.plan())
    assert result.success, result.failures
    assert len(result) == 13


def _in_thread(
    run: Callable[[], ExecutionResult],
) -> tuple[threading.Thread, list[ExecutionResult]]:
    results: list[ExecutionResult] = []
    thread = threading.Thread(target=lambda: results.append(run()))
    thread.start()
    return thread, results


def test_cancelling_a_run_does_not_fail_another() -> None:
    """A run that shares an operation with the cancelled one computes it itself."""
    store = fresh_store()
    local = find_executor("local")
    make = PlanMaker()
    node = make("losses.slow", 1.0)
    for number in range(5):
        make.show(f"x{number}", make("losses.counted", make("losses.counted", node)))
    plan = make.plan()
    cancelled = engine_on(store, local)
    first, first_results = _in_thread(lambda: cancelled.execute_workplan(plan))
    wait_until(lambda: len(_calls) == 1)
    second, results = _in_thread(lambda: engine_on(store, local).execute_workplan(plan))
    wait_until(lambda: bool(second.ident))
    cancelled.cancel()
    _go_on.set()
    first.join(30)
    second.join(30)
    close_shared_dask_client()
    assert first_results[0].cancelled
    assert results[0].success, results[0].failures
    assert set(results[0].values()) == {1.0}


def test_a_store_that_loses_all_it_claims_to_hold_ends_no_run() -> None:
    """Each result is computed once, and the values are right."""
    store = fresh_store()
    first = PlanMaker()
    first.show("base", _base(first))
    engine_on(store, find_executor("synchronous")).execute_workplan(first.plan())

    class Losing:
        """Says that it holds everything, and holds nothing of it."""

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def contains(self, keys: object) -> set[ResultKey]:
            return set(keys)  # type: ignore[call-overload,no-any-return]  # any collection of keys

        def get(self, key: ResultKey) -> object:
            store.delete([key])
            return store.get(key)

    losing: ResultStore = Losing()  # type: ignore[assignment]  # a store in what it does
    result = engine_on(losing, find_executor("synchronous")).execute_workplan(
        _goals_above(2).plan()
    )
    assert list(result.values()) == [NUMBERS[0] + 1, NUMBERS[1] + 1]


@pytest.mark.parametrize("inside", [False, True], ids=["captured", "in the body"])
def test_what_loops_share_is_computed_once(executor: Executor, inside: bool) -> None:
    """Also without a store, and where their sequences become known one after the other."""
    make = PlanMaker()
    shared = make("subtraction", 8.0, 1.0)
    for number in range(8):
        length = make("test.sleep", make("addition", 0.01 * number, 0.01))
        sequence = make("test.identity", make("sequence", length, 1.0))
        make.show(f"x{number}", _loop_over(make, sequence, None if inside else shared))
    memory = Memory()
    engine = engine_on(
        fresh_store(), executor, cache="bypass", listeners=[memory], scheduling=Unfused()
    )
    result = engine.execute_workplan(make.plan())
    assert result["x7"] == [pytest.approx(7.08), 8.0]
    finished = [
        event for event in memory.of(OperationFinished) if event.kernel == "default.subtraction"
    ]
    assert len(finished) == 1


def _loop_over(make: PlanMaker, sequence: str, shared: str | None) -> str:
    """Add 8 - 1 to each item of a sequence that only the run knows."""
    nodes: list[dict[str, object]] = [{"id": "item", "type": "parameter", "name": "x"}]
    if shared is None:
        nodes += [
            {"id": "eight", "type": "constant", "value": 8.0},
            {"id": "one", "type": "constant", "value": 1.0},
            {
                "id": "seven",
                "type": "operation",
                "operator": "subtraction",
                "arguments": {"0": "eight", "1": "one"},
            },
        ]
    else:
        nodes.append({"id": "seven", "type": "parameter", "name": "y"})
    arguments = {"0": "item", "1": "seven"}
    nodes.append({"id": "sum", "type": "operation", "operator": "addition", "arguments": arguments})
    captures = {} if shared is None else {"y": shared[1:]}
    body = make._add(type="closure", variable="x", captures=captures, nodes=nodes, result="sum")
    return make._add(type="operation", operator="map", arguments={"0": body[1:], "1": sequence[1:]})


def test_values_of_other_runs_do_not_travel_through_the_driver(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A goal that another run computes as an intermediate is stored by a worker."""

    def refuse(_: object, key: str) -> object:
        raise AssertionError(f"the value of {key} was fetched")

    monkeypatch.setattr(DaskSession, "fetch", refuse)
    store = fresh_store(tmp_path)

    def plan(*, whole: bool) -> WorkPlan:
        make = PlanMaker()
        values = make("sequence", make("test.sleep", 2.0), *NUMBERS)
        if whole:
            make.show("same", make("test.identity", values))
        else:
            make.show("values", values)
        return make.plan()

    with Client(cluster) as client:
        executor, memory = DistributedExecutor(client), Memory()
        engine = engine_on(store, executor, scheduling=Unfused(), listeners=[memory])
        thread, results = _in_thread(lambda: engine.execute_workplan(plan(whole=True)))
        wait_until(lambda: bool(memory.of(PlanResolved)))
        other = engine_on(store, executor, scheduling=Unfused())
        result = other.execute_workplan(plan(whole=False))
        thread.join(30)
    assert result["values"] == [2.0, *NUMBERS]
    assert results[0]["same"] == [2.0, *NUMBERS]
    computed = results[0].completed_operations + result.completed_operations
    assert computed == 3
