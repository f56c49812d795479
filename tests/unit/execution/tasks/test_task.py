"""Task specs as plain data."""

from __future__ import annotations

import pickle

from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.planning import plan_groups
from voxk8s.execution.tasks.task import (
    StepKind,
    TaskKey,
    TaskSpec,
    UpstreamRef,
    build_adoption,
    build_tasks,
    result_task_key,
    task_key,
)
from voxk8s.kernels import registry
from voxk8s.plan import KeyConstant, KeyGraph, KeyOperation, key_graph, resolve


def _graph(make: PlanMaker) -> KeyGraph:
    return key_graph(make.plan(), registry())


def _tasks(graph: KeyGraph, known: int = 0) -> dict[str, TaskSpec]:
    keys = [key for key, node in graph.nodes.items() if not isinstance(node, KeyConstant)]
    resolution = resolve(graph, set(keys[:known]).intersection)
    targets = [goal.key for goal in graph.goals if goal.key is not None]
    groups, options = plan_groups(graph, resolution.compute, resolution.known, targets)
    tasks = build_tasks(groups, graph.nodes, options)
    return {str(name): task for name, task in tasks.items()}


def test_the_key_of_a_task_says_what_it_does() -> None:
    """Two clients share a task of one export; a salt prevents it."""
    make = PlanMaker()
    make.show("x", make("addition", make("range", 9.0), 1.0))
    graph = _graph(make)
    first, second = resolve(graph, lambda _: ()).compute
    group = FusionGroup([first, second], [second])
    assert task_key(group, graph.nodes) == f"default.addition-{second}"
    assert task_key(group, graph.nodes, "run") == f"default.addition-{second}-run"
    assert task_key(FusionGroup([], [first], [first]), graph.nodes) == f"fetch-{first}"
    several = FusionGroup([first, second], [first, second])
    assert task_key(several, graph.nodes).startswith("pack-")
    assert str(result_task_key(group)) == second
    assert result_task_key(several).startswith("pack-")


def test_a_value_of_another_task_is_adopted() -> None:
    """The step gets it as its argument and stores it as a goal."""
    make = PlanMaker()
    make.show("x", make("addition", 1.0, 2.0))
    graph = _graph(make)
    [key] = resolve(graph, lambda _: ()).compute
    node = graph.nodes[key]
    assert isinstance(node, KeyOperation)
    source = UpstreamRef(TaskKey("its task"), key, True)
    task = build_adoption(TaskKey("adoption"), node, source, ("test.identity@1",))
    [step] = task.steps
    assert (step.rule.kind, step.rule.must_store, step.rule.goal) == (StepKind.ADOPT, True, True)
    assert task.dependencies == ("its task",)


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
    assert [step.rule.kind for step in task.steps] == [StepKind.COMPUTE, StepKind.SAVE]
    assert [step.rule.must_store for step in task.steps] == [False, True]
    assert task.steps[1].rule.suffix == ".json"


def test_known_arguments_are_fetched() -> None:
    """A result that the store holds is read by the task that needs it."""
    make = PlanMaker()
    make.show("x", make("addition", make("addition", 1.0, 1.0), 1.0))
    [task] = _tasks(_graph(make), known=1).values()
    assert [step.rule.kind for step in task.steps] == [StepKind.FETCH, StepKind.COMPUTE]


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


def test_steps_that_are_done_alike_share_a_rule() -> None:
    """A task of hundreds of sums says once how a sum is made; its goal is another matter."""
    make = PlanMaker()
    node = make.constant(1.0)
    for _ in range(9):
        node = make("addition", node, 1.0)
    make.show("x", node)
    [task] = _tasks(_graph(make)).values()
    [first, *others] = [step.rule for step in task.steps]
    assert first.kernel == "default.addition"
    assert others[1] is others[2] is others[6]
    assert others[7].goal
    assert len({id(rule) for rule in (first, *others)}) == 3
