"""Dask graphs: tasks and annotations."""

from __future__ import annotations

from typing import Any

from dask.utils import key_split

from tests.support.plans_and_runs import QUICK
from voxk8s.execution.executors.dask_graph import (
    annotations_for,
    build_graph,
)
from voxk8s.execution.tasks.task import TaskKey, TaskSpec, UpstreamRef
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.plan import ResultKey

CONTEXT = RunSpec("run", "", None, False, False, False, "goals", QUICK, 0.0)


def test_each_task_is_a_dask_task_with_its_dependencies() -> None:
    """Dask learns how long a kind of task takes from what stands before the hyphen."""
    first, second = TaskKey(f"default.addition-{0:064}"), TaskKey(f"default.addition-{1:064}")
    upstream = UpstreamRef(first, ResultKey("a"), True)
    tasks = [TaskSpec(first, (), (), (), ()), TaskSpec(second, (), (upstream,), (), ())]
    graph = build_graph(tasks, CONTEXT)
    assert {key: set(task.dependencies) for key, task in graph.items()} == {
        first: set(),
        second: {first},
    }
    assert {key_split(key) for key in graph} == {"default.addition"}


def test_ranks_become_priorities() -> None:
    """The smallest rank is the highest priority."""
    found: Any = annotations_for({TaskKey("a"): 0, TaskKey("b"): 5})
    assert [found["priority"](key) for key in "ab"] == [0, -5]
