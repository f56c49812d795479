"""The kernels below an operation."""

from __future__ import annotations

from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution.tasks.ancestry import Ancestry
from voxk8s.kernels import registry
from voxk8s.plan import KeyOperation, key_graph


def test_all_kernels_below_an_operation_are_named_once() -> None:
    """Sorted, with their versions, without the operation's own kernel and without constants."""
    make = PlanMaker("vox1")
    inner = make("mean", make("sequence", make("addition", 1.0, 2.0), make("addition", 1.0, 3.0)))
    make.show("x", make("multiplication", inner, make("stdev", make("sequence", 1.0, 2.0))))
    graph = key_graph(make.plan(), registry())
    [goal] = [goal.key for goal in graph.goals]
    assert goal is not None
    assert Ancestry().below(goal, graph.nodes) == (
        "default.addition@1",
        "default.mean@1",
        "default.sequence@1",
        "default.stdev@2",
    )


def test_equal_ancestors_are_one_object() -> None:
    """A plan of a million operations has few collections of kernels."""
    make = PlanMaker("vox1")
    for number in range(10):
        make.show(f"x{number}", make("floor", make("addition", float(number), 2.0)))
    graph = key_graph(make.plan(), registry())
    ancestry = Ancestry()
    goals = [goal.key for goal in graph.goals if goal.key is not None]
    assert len({id(ancestry.below(goal, graph.nodes)) for goal in goals}) == 1


def test_a_chain_may_be_of_any_length() -> None:
    """It is followed without recursion."""
    make = PlanMaker("vox1")
    node = make("addition", 1.0, 2.0)
    for _ in range(3000):
        node = make("floor", node)
    make.show("x", node)
    graph = key_graph(make.plan(), registry())
    last = [key for key, node in graph.nodes.items() if isinstance(node, KeyOperation)][-1]
    assert Ancestry().below(last, graph.nodes) == ("default.addition@1", "default.floor@1")
