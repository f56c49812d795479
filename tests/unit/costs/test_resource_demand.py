"""What the operations that are left of a plan need of workers."""

from __future__ import annotations

import pytest

from tests.support.plans_and_runs import PlanMaker
from voxk8s.costs.resource_demand import MANY, Demand, resource_demands
from voxk8s.kernels import kernel, registry
from voxk8s.plan import KeyOperation, key_graph

GPU = (("GPU", 1.0),)


@kernel("demand.segment", version=1, resources={"GPU": 1})
def segment(x: float) -> float:
    """Return the argument."""
    return x


@pytest.fixture
def make() -> PlanMaker:
    """A plan with two operations that need a GPU, and one that does not."""
    make = PlanMaker("demand")
    for number in range(2):
        make.show(f"x{number}", make("addition", make("segment", float(number)), 1.0))
    return make


def test_only_what_is_left_counts(make: PlanMaker) -> None:
    """Of the operations with a key those to compute; of a plan without keys all that goals need."""
    plan, index = make.plan(), registry()
    graph = key_graph(plan, index)
    needing = [
        key
        for key, node in graph.nodes.items()
        if isinstance(node, KeyOperation) and node.kernel == "demand.segment"
    ]
    assert resource_demands(plan, graph, list(graph.nodes), index) == (
        Demand(GPU, 2, "demand.segment"),
    )
    assert resource_demands(plan, graph, needing[:1], index) == (Demand(GPU, 1, "demand.segment"),)
    assert resource_demands(plan, graph, (), index) == ()
    assert resource_demands(plan, None, (), index) == (Demand(GPU, 2, "demand.segment"),)


def test_a_loop_of_unknown_length_has_many_operations() -> None:
    """Its items are known when its sequence is; nothing of it has a key before."""
    make = PlanMaker("demand")
    sequence = make("default.range", make("segment", 0.0), 3.0)
    make.show("all", make.loop(sequence, "segment"))
    plan, index = make.plan(), registry()
    graph = key_graph(plan, index)
    assert graph.keyless
    assert resource_demands(plan, graph, (), index) == (Demand(GPU, MANY, "demand.segment"),)


def test_what_no_goal_needs_does_not_count(make: PlanMaker) -> None:
    """An operation beside the goals is not computed."""
    make("segment", 7.0)
    [found] = resource_demands(make.plan(), None, (), registry())
    assert found.operations == 2
