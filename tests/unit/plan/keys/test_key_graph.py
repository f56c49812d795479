"""Questions to a key graph: keys, sources and blockers of operations."""

from __future__ import annotations

from tests.support.plan_documents import (
    INDEX,
    closure,
    constant,
    deferred_loop,
    goal,
    goal_key,
    graph_of,
    load,
    operation,
    parameter,
    plan,
)
from tests.support.plans_and_runs import PlanMaker
from voxk8s.kernels import registry
from voxk8s.plan import (
    KeyConstant,
    KeyOperation,
    OperationId,
    blockers,
    constant_id,
    key_graph,
    operation_id,
    resolve,
    result_graph,
)
from voxk8s.plan.keys.result_keys import save_location_id


def test_constants_may_be_goals() -> None:
    """A constant that is printed is its own node."""
    graph = graph_of(constant("c", 1.5), goals=[goal("c")])
    node = graph.nodes[graph.goals[0].key]  # type: ignore[index]  # a result key, no constant
    assert node == KeyConstant(node.key, 1.5)
    assert node.arguments == ()


def test_what_has_a_key_waits_for_nothing() -> None:
    """An operation with a key has no blockers, nor has one that no goal needs."""
    graph = deferred_loop()
    assert blockers(graph, graph.goals[1].operation) == frozenset()
    assert blockers(graph, operation_id("tt", [])) == frozenset()


def test_blockers_are_found_through_other_operations() -> None:
    """A goal that waits for two inputs is blocked by both, not by what stands between."""
    made = plan(
        *load("a", "s3://x/a"),
        *load("b", "s3://x/b"),
        operation("near a", "near", "a"),
        operation("sum", "addition", "near a", "b"),
        goals=[goal("sum")],
    )
    graph = key_graph(made, INDEX)
    assert blockers(graph, graph.goals[0].operation) == set(graph.unpinned)
    assert len(graph.unpinned) == 2


def test_an_operation_of_a_loop_has_its_node_in_the_body_as_source() -> None:
    """The node with the item substituted leads back to the node that was written."""
    graph = graph_of(
        constant("n", 1), operation("xs", "range", "n"),
        closure("f", "x", [parameter("x"), operation("s", "near", "x")], "s"),
        operation("m", "map", "f", "xs"), goals=[goal("m")],
    )  # fmt: skip
    [body] = [
        node
        for node in graph.nodes.values()
        if isinstance(node, KeyOperation) and node.kernel == "vox1.near"
    ]
    assert body.operation == operation_id("near", [constant_id(0)])
    assert graph.source_of(body.operation) != body.operation
    assert graph.key_of(graph.source_of(body.operation)) is None


def test_an_operation_of_the_plan_is_its_own_source() -> None:
    """Outside of loops the ids of the graph are those of the plan."""
    graph = graph_of(constant("c", 1), operation("a", "near", "c"), goals=[goal("a")])
    name = graph.goals[0].operation
    assert graph.source_of(name) == name


def test_keys_are_found_by_operation_id() -> None:
    """Constants and operations have one; an unknown id has none."""
    graph = graph_of(constant("c", 1), operation("a", "near", "c"), goals=[goal("a")])
    near = operation_id("near", [constant_id(1)])
    assert graph.keys == {name: graph.key_of(name) for name in (constant_id(1), near)}
    assert graph.key_of(near) == goal_key(graph)
    assert graph.key_of(OperationId("f" * 64)) is None


def test_saving_a_value_has_a_location_of_its_own() -> None:
    """A failure of the file's encoder is not placed at the operation that computed the value."""
    graph = graph_of(
        constant("c", 1), operation("a", "near", "c"), goals=[goal("a"), goal("a", "x.png", "save")]
    )
    shown, saved = (graph.nodes[goal_key(graph, place)] for place in range(2))
    assert isinstance(shown, KeyOperation)
    assert isinstance(saved, KeyOperation)
    assert shown.location_id == shown.operation == saved.operation
    assert saved.location_id == save_location_id(saved.operation, ".png")


def test_the_graph_of_a_result_has_what_it_needs() -> None:
    """Other goals and what only they need are left out; the order stays topological."""
    make = PlanMaker()
    below = make("addition", 1.0, 2.0)
    make.show("wanted", make("multiplication", below, 3.0))
    make.show("other", make("subtraction", below, 4.0))
    graph = key_graph(make.plan(), registry())
    wanted, other = (goal.key for goal in graph.goals)
    assert wanted is not None
    alone = result_graph(graph.nodes, wanted)
    assert [goal.key for goal in alone.goals] == [wanted]
    assert other not in alone.nodes
    assert list(alone.nodes) == [key for key in graph.nodes if key in alone.nodes]
    assert resolve(alone, lambda _: ()).compute == (graph.nodes[wanted].arguments[0], wanted)
