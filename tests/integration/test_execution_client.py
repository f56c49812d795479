"""The shared Dask client, and plans as plain Dask graphs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dask
import numpy as np
import pytest

from tests.support.plans_and_runs import QUICK, PlanMaker, fresh_store
from tests.support.waiting import wait_until
from voxk8s.errors import InvalidUsage
from voxk8s.execution import (
    ExecutionEngine,
    close_shared_dask_client,
    get_shared_dask_client,
)
from voxk8s.execution.executors.dask_graph import OperationError
from voxk8s.execution.executors.dask_session import DaskSession
from voxk8s.execution.executors.shared_client import has_shared_dask_client
from voxk8s.kernels import kernel
from voxk8s.storage import ResultStore
from voxk8s.values import Array


@kernel("client.large")
def large() -> Array:
    """Give 40 MB."""
    return np.zeros(5_000_000)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No client before and none after; test kernels are on."""
    monkeypatch.setenv("VOXK8S_TEST_KERNELS", "1")
    close_shared_dask_client()
    yield
    close_shared_dask_client()


def _engine(store: ResultStore) -> ExecutionEngine:
    return ExecutionEngine(store, retry=QUICK, write_files=False)


def test_there_is_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call gives the same client, with the threads and memory of the environment."""
    monkeypatch.setenv("VOXLOGICA_DASK_THREADS", "3")
    monkeypatch.setenv("VOXLOGICA_DASK_MEMORY", "1GB")
    client = get_shared_dask_client()
    assert get_shared_dask_client() is client
    [worker] = client.scheduler_info()["workers"].values()
    assert (worker["nthreads"], worker["memory_limit"]) == (3, 10**9)


def test_a_closed_client_is_replaced() -> None:
    """After somebody has closed the client the next call, or run, makes another."""
    first = get_shared_dask_client()
    first.close()
    second = get_shared_dask_client()
    assert second is not first
    assert second.submit(int, 3).result() == 3


def test_a_client_whose_loop_has_ended_is_replaced() -> None:
    """A client that somebody's task has torn down is not handed out again (in a process apart)."""
    program = """
import time, voxk8s
first = voxk8s.get_shared_dask_client()
first.loop.add_callback(first.loop.stop)
while not first.loop.asyncio_loop.is_closed():
    time.sleep(0.01)
second = voxk8s.get_shared_dask_client()
print(second is not first and second.submit(int, 3).result(), flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "3\n"


def test_size_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A memory limit that is no size is wrong usage, told by the name of its variable."""
    monkeypatch.setenv("VOXLOGICA_DASK_MEMORY", "lots")
    with pytest.raises(InvalidUsage, match="VOXLOGICA_DASK_MEMORY"):
        get_shared_dask_client()


def test_a_dashboard_replaces_an_idle_client(caplog: pytest.LogCaptureFixture) -> None:
    """Asked for a dashboard an idle client is replaced; one at work stays, with a warning."""
    busy = get_shared_dask_client()
    future = busy.submit(int, 5)
    assert get_shared_dask_client(enable_dashboard=True) is busy
    assert "without a dashboard" in caplog.text
    del future
    wait_until(lambda: not busy.futures)
    shown = get_shared_dask_client(enable_dashboard=True)
    assert shown is not busy
    assert shown.dashboard_link
    assert get_shared_dask_client() is shown


def test_a_known_plan_needs_no_client() -> None:
    """A plan whose goals are known makes no client."""
    make = PlanMaker()
    make.show("x", make("addition", 1.0, 2.0))
    plan, store = make.plan(), fresh_store()
    ExecutionEngine(store, executor="synchronous").execute_workplan(plan)
    assert _engine(store).execute_workplan(plan).success
    assert not has_shared_dask_client()


def test_a_known_plan_never_imports_dask(tmp_path: Path) -> None:
    """In a new process a known plan is delivered without Dask, and nothing is written to stderr."""
    program = f"""
import sys, voxk8s
plan = voxk8s.load_plan({{"nodes": [{{"id": "a", "type": "constant", "value": 1.0}},
  {{"id": "s", "type": "operation", "operator": "addition", "arguments": {{"0": "a", "1": "a"}}}}],
  "goals": [{{"operation": "print", "id": "s", "name": "s"}}]}})
result = voxk8s.ExecutionEngine(voxk8s.open_store({str(tmp_path)!r})).execute_workplan(plan)
print(result["s"], result.completed_operations, "distributed" in sys.modules)
"""
    lines = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        lines.append(done.stdout)
    assert lines == ["2.0 1 True\n", "2.0 0 False\n"]


def test_a_graph_for_dask() -> None:
    """`compile_to_dask` gives a task per result key; dask.get and Client.get both take it."""
    make = PlanMaker()
    total = make("addition", 5.0, 3.0)
    make.show("sum", total)
    make.show("product", make("multiplication", total, 2.0))
    engine = _engine(fresh_store())
    plan = make.plan()
    graph = engine.compile_to_dask(plan)
    assert not has_shared_dask_client()
    keys = list(graph)
    assert dask.get(graph, keys) == (8.0, 16.0)
    result = engine.execute_workplan(plan)
    assert [outcome.key for outcome in result.goals] == keys
    assert result.completed_operations == 0
    loading = engine.compile_to_dask(plan)
    assert get_shared_dask_client().get(dict(loading), list(loading)) == [8.0, 16.0]


def test_a_failure_in_a_graph_raises() -> None:
    """Whoever runs the graph himself gets the operation's error."""
    make = PlanMaker()
    make.show("x", make("addition", make("test.fail", "no way"), 1.0))
    graph = _engine(fresh_store()).compile_to_dask(make.plan())
    with pytest.raises(OperationError, match="no way"):
        dask.get(graph, list(graph))


def test_names_of_tasks_are_new_after_a_cancelled_run() -> None:
    """Tasks have their results' names, which runs share, until a run has left some unfinished."""
    client = get_shared_dask_client()
    first = DaskSession(client, "one", lambda _: None, local=True)
    assert first.salt == ""
    first.cancel()
    first.close()
    second = DaskSession(client, "two", lambda _: None, local=True)
    assert second.salt != ""
    second.close()


def test_values_that_no_worker_can_hold_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names what to raise, and nothing is tried again."""
    monkeypatch.setenv("VOXLOGICA_DASK_MEMORY", "10MB")
    make = PlanMaker()
    large = make("client.large")
    make.show("large", large)
    make.show("same", make("test.identity", large))
    result = _engine(fresh_store()).execute_workplan(make.plan())
    [failure] = result.failures
    assert "VOXLOGICA_DASK_MEMORY" in failure.message
    assert (failure.transient, failure.attempts) == (False, 1)
