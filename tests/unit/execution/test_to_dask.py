"""Plain Dask graphs, and results that are gone when they are read."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import dask
import pytest

from tests.support.plans_and_runs import PlanMaker, engine_on
from voxk8s.execution import ExecutionEngine
from voxk8s.execution.executors import find_executor
from voxk8s.execution.to_dask import Recomputation
from voxk8s.kernels import kernel, registry
from voxk8s.plan import WorkPlan, key_graph
from voxk8s.storage import open_store

NUMBERS = [math.sin(number) for number in range(4000)]
_calls: list[str] = []


@kernel("recompute.long")
def long(x: float) -> list[float]:
    """Return a value that is too large to be inline in its record."""
    _calls.append("long")
    return [x * number for number in NUMBERS]


@kernel("recompute.last")
def last(x: list[float]) -> float:
    """Return the last item."""
    _calls.append("last")
    return x[-1]


def _plan() -> WorkPlan:
    """Return a plan with two goals: a long sequence, and its last item."""
    make = PlanMaker()
    numbers = make("recompute.long", make("addition", 1.0, 1.0))
    make.show("numbers", numbers)
    make.show("last", make("recompute.last", numbers))
    return make.plan()


def _engine(folder: Path) -> ExecutionEngine:
    return engine_on(open_store(str(folder)), find_executor("synchronous"))


def test_a_changed_kernel_below_a_known_goal_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As a run does, for what the graph computes as well as for what it reads."""
    make = PlanMaker()
    make.show("x", make("addition", make("compiled.f", 2.0), 1.0))
    for factor in (2, 3):
        cell = f"@kernel('compiled.f', version=1)\ndef f(x: float) -> float: return x * {factor}\n"
        exec(cell, {"kernel": kernel, "__name__": "__main__"})
        caplog.clear()
        graph = _engine(tmp_path).compile_to_dask(make.plan())
        assert dask.get(graph, list(graph)[-1:]) == (5.0,)
        assert ("compiled.f changed under version 1" in caplog.text) is (factor == 3)


@pytest.mark.parametrize("harm", ["changed", "deleted"])
def test_a_corrupt_result_is_computed_again(tmp_path: Path, harm: str) -> None:
    """A blob that was changed or deleted after compiling does no harm to a goal or an argument."""
    plan = _plan()
    _engine(tmp_path).execute_workplan(plan)
    goals = [goal.key for goal in key_graph(plan, registry()).goals if goal.key]
    graph = _engine(tmp_path).compile_to_dask(plan)
    assert set(graph) == set(goals)
    _calls.clear()
    [blob] = [path for path in (tmp_path / "cas").rglob("*") if path.is_file()]
    data = blob.read_bytes()
    blob.unlink()
    if harm == "changed":
        blob.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    numbers, end = dask.get(pickle.loads(pickle.dumps(graph)), goals)
    assert numbers == [2 * number for number in NUMBERS]
    assert end == numbers[-1]
    assert _calls == ["long"]
    assert dask.get(_engine(tmp_path).compile_to_dask(plan), goals)[0] == numbers
    assert _calls == ["long"]


def test_only_the_needed_operations_are_pickled() -> None:
    """In another process a recomputation has the operations of its result, not the whole plan."""
    graph = key_graph(_plan(), registry())
    numbers, end = (goal.key for goal in graph.goals)
    assert numbers is not None
    assert end is not None
    recomputation = pickle.loads(pickle.dumps(Recomputation(graph.nodes, numbers)))
    assert list(recomputation.nodes) == [key for key in graph.nodes if key != end]
