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
from voxk8s.execution import (
    ExecutionEngine,
    close_shared_dask_client,
    get_shared_dask_client,
)
from voxk8s.execution.executors.dask_session import DaskSession
from voxk8s.execution.executors.shared_client import has_shared_dask_client
from voxk8s.execution.to_dask import OperationError
from voxk8s.kernels import kernel
from voxk8s.storage import ResultStore
from voxk8s.values import Array


@kernel("client.large")
def large() -> Array:
    """Return 40 MB."""
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
