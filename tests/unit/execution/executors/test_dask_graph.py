"""Dask graphs: annotations, and the order that holds the fewest values."""

from __future__ import annotations

from typing import Any

from dask.order import order

from tests.support.plans_and_runs import QUICK
from voxk8s.execution.executors.dask_graph import (
    annotations_for,
    build_graph,
    depth_first_order,
    peak_live_values,
)
from voxk8s.execution.tasks.scheduling import DEFAULT_SCHEDULE, Placement, Schedule
from voxk8s.execution.tasks.task import TaskKey, TaskSpec, UpstreamRef
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.plan import ResultKey

Needs = dict[str, list[str]]

CONTEXT = RunSpec("run", "", None, False, False, False, "goals", QUICK, 0.0)


def _tasks(needs: Needs) -> dict[TaskKey, TaskSpec]:
    return {
        TaskKey(name): TaskSpec(
            TaskKey(name),
            (),
            tuple(UpstreamRef(TaskKey(each), ResultKey(each), True) for each in below),
            (),
            (),
        )
        for name, below in needs.items()
    }


def _sweep(branches: int) -> tuple[Needs, list[str]]:
    """Return branches over an image and a mask; each has three goals that share its values."""
    needs: Needs = {"image": [], "base": ["image"]}
    goals = []
    for n in range(branches):
        needs |= {
            f"a{n}": ["image"],
            f"b{n}": [f"a{n}"],
            f"c{n}": [f"b{n}"],
            f"d{n}": [f"c{n}", "base"],
            f"e{n}": [f"d{n}", f"a{n}"],
            f"f{n}": [f"e{n}"],
            f"g{n}": [f"e{n}"],
            f"h{n}": [f"g{n}"],
            f"i{n}": [f"a{n}", f"b{n}"],
            f"j{n}": [f"i{n}"],
        }
        goals += [f"f{n}", f"h{n}", f"j{n}"]
    return needs, goals


def test_branches_of_a_sweep_run_one_after_the_other() -> None:
    """Only the values of one branch are held at a time, however many branches there are."""
    for branches in (2, 40):
        needs, goals = _sweep(branches)
        tasks = _tasks(needs)
        ranks = depth_first_order(tasks, [TaskKey(goal) for goal in goals])
        assert set(ranks) == set(tasks)
        assert peak_live_values(tasks, ranks) <= 6
        assert max(ranks[TaskKey(f"{step}0")] for step in "abcdefghij") < ranks[TaskKey("a1")]


def test_values_are_held_until_their_last_use() -> None:
    """An unused value is not held, and a value with several users is held once."""
    tasks = _tasks({"x": [], "y": ["x"], "z": ["x", "y"]})
    assert peak_live_values(tasks, depth_first_order(tasks, [TaskKey("z")])) == 2


def test_the_order_that_holds_fewer_values_is_used() -> None:
    """A sweep runs in our order; goals that alternate between images run in Dask's order."""
    needs, goals = _sweep(40)
    tasks = _tasks(needs)
    graph = build_graph(tasks.values(), CONTEXT)
    found: Any = annotations_for(graph, tasks, [TaskKey(goal) for goal in goals], DEFAULT_SCHEDULE)
    assert found["priority"]("image") == 0
    assert found["priority"]("j39") < found["priority"]("f0") < 0

    needs = {f"image{n}": [] for n in range(8)}
    goals = []
    for place in range(40):
        needs[f"g{place}"] = [f"image{place % 8}"]
        goals.append(f"g{place}")
    tasks = _tasks(needs)
    graph = build_graph(tasks.values(), CONTEXT)
    assert (
        peak_live_values(
            tasks, {TaskKey(str(k)): n for k, n in order(dict[Any, Any](graph)).items()}
        )
        < 8
    )
    assert annotations_for(graph, tasks, [TaskKey(goal) for goal in goals], DEFAULT_SCHEDULE) == {}


def test_a_schedule_becomes_annotations() -> None:
    """The smallest rank is the highest priority; tasks without a placement may run anywhere."""
    place = Placement(("w1",), {"GPU": 1.0}, elsewhere=True)
    found: Any = annotations_for(
        {}, {}, [], Schedule({TaskKey("a"): 0, TaskKey("b"): 5}, {TaskKey("a"): place})
    )
    assert [found["priority"](key) for key in "ab"] == [0, -5]
    assert [found["workers"](key) for key in "ab"] == [("w1",), ()]
    assert [found["resources"](key) for key in "ab"] == [{"GPU": 1.0}, {}]
    assert [found["allow_other_workers"](key) for key in "ab"] == [True, False]
