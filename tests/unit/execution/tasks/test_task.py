"""Task specs as plain data."""

from __future__ import annotations

import pickle

from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution.tasks.planning import plan_tasks
from voxk8s.execution.tasks.task import StepKind, TaskSpec, task_key
from voxk8s.kernels import registry
from voxk8s.plan import KeyConstant, KeyGraph, ResultKey, key_graph, resolve


def _graph(make: PlanMaker) -> KeyGraph:
    return key_graph(make.plan(), registry())


def _tasks(graph: KeyGraph, known: int = 0) -> dict[str, TaskSpec]:
    keys = [key for key, node in graph.nodes.items() if not isinstance(node, KeyConstant)]
    resolution = resolve(graph, set(keys[:known]).intersection)
    targets = [goal.key for goal in graph.goals if goal.key is not None]
    tasks, _ = plan_tasks(graph, resolution.compute, resolution.known, targets)
    return {str(name): task for name, task in tasks.items()}


def test_the_key_of_a_task_is_its_result_key() -> None:
    """Two clients share a task of one export; a salt prevents it."""
    key = ResultKey("a" * 64)
    assert str(task_key([key])) == key
    assert task_key([key], "run") == key + "-run"
    assert task_key([key, ResultKey("b" * 64)]).startswith("pack-")


def test_the_same_plan_gives_the_same_tasks() -> None:
    """Tasks depend on the plan and the known results only."""
    graphs = []
    for _ in range(2):
        make = PlanMaker()
        make.show("x", make("addition", make("range", 9.0), 1.0))
        graphs.append(_tasks(_graph(make)))
    assert graphs[0] == graphs[1]


def test_a_save_goal_is_a_step() -> None:
    """A save goal encodes its argument as a file, which must be stored."""
    make = PlanMaker()
    make.save("x.json", make("addition", 1.0, 1.0))
    [task] = _tasks(_graph(make)).values()
    assert [step.kind for step in task.steps] == [StepKind.COMPUTE, StepKind.SAVE]
    assert [step.must_store for step in task.steps] == [False, True]
    assert task.steps[1].suffix == ".json"


def test_known_arguments_are_fetched() -> None:
    """A result that the store holds is read by the task that needs it."""
    make = PlanMaker()
    make.show("x", make("addition", make("addition", 1.0, 1.0), 1.0))
    [task] = _tasks(_graph(make), known=1).values()
    assert [step.kind for step in task.steps] == [StepKind.FETCH, StepKind.COMPUTE]


def test_tasks_are_small_when_pickled() -> None:
    """A task of a few hundred operations takes about a hundred bytes per operation."""
    make = PlanMaker()
    node = make.constant(0.0)
    for _ in range(400):
        node = make("addition", node, 1.0)
    make.show("x", node)
    [task] = _tasks(_graph(make)).values()
    data = pickle.dumps(task)
    assert pickle.loads(data) == task
    assert len(data) < 400 * 220
