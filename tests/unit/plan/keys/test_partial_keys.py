"""The order in which the nodes of a scope get keys, and what nodes without one wait for."""

from __future__ import annotations

import pytest

from tests.support.plan_documents import (
    INDEX,
    constant,
    goal,
    goal_key,
    operation,
    plan,
)
from voxk8s.errors import InvalidPlan
from voxk8s.plan import Goal, OperationId, ResultKey, WorkPlan, constant_id, key_graph
from voxk8s.plan import closure as make_closure
from voxk8s.plan import constant as make_constant
from voxk8s.plan import operation as make_operation
from voxk8s.plan.keys.partial_keys import PartialKey, Scope, ScopeLayout, waiting_for
from voxk8s.plan.model import Node
from voxk8s.plan.signature import Signature

URLS = [make_constant(f"s3://x/{letter}") for letter in "ab"]
LOADS = [make_operation("load", [url.id]) for url in URLS]
GEOMETRY = make_operation("tt", [])


def _layout(*nodes: Node, layouts: dict[OperationId, ScopeLayout] | None = None) -> ScopeLayout:
    """Return the layout of a scope whose last node is its result."""
    signatures: dict[str, Signature] = {}
    for operator in ("load", "tt", "near"):
        found = INDEX.find(operator, ["vox1"])
        assert found is not None
        signatures[operator] = found
    named = {node.id: node for node in nodes}
    return ScopeLayout(named, [nodes[-1].id], signatures, layouts or {})


def _partial(name: str, key: str | None = None, *waits: PartialKey) -> PartialKey:
    needs = (ResultKey(f"need of {name}"),)
    return PartialKey(
        OperationId(name), None if key is None else ResultKey(key), waits=waits, needs=needs
    )


def test_nodes_stand_after_their_arguments() -> None:
    """A plan whose nodes are in another order gives a graph in topological order."""
    made = plan(
        constant("c", 1), operation("a", "near", "c"), operation("b", "near", "a"),
        goals=[goal("b")],
    )  # fmt: skip
    mixed = type(made)(dict(reversed(list(made.nodes.items()))), made.goals, made.imports)
    graph = key_graph(mixed, INDEX)
    seen: set[str] = set()
    for node in graph.nodes.values():
        assert seen.issuperset(node.arguments)
        seen.add(node.key)
    assert goal_key(graph) == goal_key(key_graph(made, INDEX))


def test_geometry_that_needs_itself_is_refused() -> None:
    """An address computed from the geometry of the images of the plan is refused."""
    made = plan(
        operation("t", "tt"), operation("v", "volume", "t"), operation("l", "load", "v"),
        goals=[goal("l")],
    )  # fmt: skip
    with pytest.raises(InvalidPlan, match="geometry"):
        key_graph(made, INDEX)


def test_plan_without_a_node_that_another_needs_is_refused() -> None:
    """A plan that was made by hand and lacks a node is invalid; the node is named."""
    missing = constant_id(3.0)
    made = make_operation("default.addition", (missing, missing))
    with pytest.raises(InvalidPlan, match=missing):
        key_graph(WorkPlan({made.id: made}, (Goal("print", made.id, "x"),)), INDEX)


def test_nodes_without_use_are_not_laid_out() -> None:
    """Only what the result of a scope needs gets a key, each node after its arguments."""
    near = make_operation("near", [URLS[0].id])
    assert _layout(*URLS, near).order == [URLS[0], near]
    unordered = _layout(LOADS[0], make_operation("near", [URLS[0].id]), URLS[0], near)
    assert unordered.order == [URLS[0], near]


def test_the_loads_of_a_scope_are_sorted_by_id() -> None:
    """The images that give geometry its size do not depend on the order of the document."""
    names = sorted(load.id for load in LOADS)
    assert _layout(*URLS, *LOADS, GEOMETRY).loads == names
    assert _layout(*URLS, *reversed(LOADS), GEOMETRY).loads == names


def test_geometry_comes_after_the_images_of_its_scope() -> None:
    """Without arguments it needs all loads, although no goal needs them."""
    order = _layout(GEOMETRY, *URLS, *LOADS, GEOMETRY).order
    assert order[-1] == GEOMETRY
    assert {*LOADS} <= {*order}


def test_a_scope_without_images_borrows_them() -> None:
    """Geometry in a body that loads no image takes those of an enclosing scope."""
    assert _layout(GEOMETRY).borrows
    assert not _layout(*URLS, *LOADS, GEOMETRY).borrows
    assert not _layout(URLS[0], make_operation("near", [URLS[0].id])).borrows


def test_a_scope_borrows_for_the_closures_in_it() -> None:
    """A body whose inner body borrows images borrows them as well."""
    inner = make_closure("x", {}, [GEOMETRY], GEOMETRY.id)
    assert _layout(inner, layouts={inner.id: _layout(GEOMETRY)}).borrows


def test_images_are_those_of_the_nearest_scope_that_loads_some() -> None:
    """The second value tells that they are the plan's, and so the same for all items."""
    loaded = _partial("image", "key")
    plan_scope = Scope(_layout(URLS[0], LOADS[0]), {LOADS[0].id: loaded})
    bare = Scope(_layout(GEOMETRY), {}, plan_scope)
    assert bare.images() == ([loaded], True)
    own = _partial("own image", "own key")
    body = Scope(_layout(URLS[1], LOADS[1]), {LOADS[1].id: own}, plan_scope)
    assert Scope(_layout(GEOMETRY), {}, body).images() == ([own], False)


def test_goals_with_a_key_wait_for_nothing() -> None:
    """Only goals without a key are followed, and what they wait for in turn."""
    unpinned = _partial("input")
    between = _partial("between", None, unpinned)
    found = waiting_for([_partial("done", "key"), between, _partial("other", None, unpinned)])
    assert found.pending == {"between": ("input",), "other": ("input",), "input": ()}
    assert sorted(found.needs) == ["need of between", "need of input", "need of other"]
