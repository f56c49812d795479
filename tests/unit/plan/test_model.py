"""Nodes, goals and plans as values."""

from __future__ import annotations

import msgspec
import pytest

from voxk8s.plan import Constant, Goal, OperationId, WorkPlan
from voxk8s.plan.model import Closure, Node, Operation, Parameter

A, B = OperationId("a" * 64), OperationId("b" * 64)
NODES: list[Node] = [
    Constant(A, 1.5),
    Constant(A, True, buffer_id=3),
    Operation(A, "vox1.near", (B,), buffer_id="buffer"),
    Parameter(A, "x"),
    Closure(A, "x", {"k": B}, {B: Parameter(B, "x")}, B),
]


@pytest.mark.parametrize("node", NODES)
def test_the_kind_of_a_node_crosses_processes(node: Node) -> None:
    """Nodes are encoded with their type, and decoded as what they were."""
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(node), type=Node) == node


@pytest.mark.parametrize(
    ("node", "kind"),
    [*zip(NODES, ["constant", "constant", "operation", "parameter", "closure"], strict=True)],
)
def test_kinds_have_the_names_of_plan_documents(node: Node, kind: str) -> None:
    """The type is a field of its own."""
    assert msgspec.to_builtins(node)["type"] == kind


@pytest.mark.parametrize("node", NODES)
def test_nodes_cannot_be_changed(node: Node) -> None:
    """Their ids follow from what they are."""
    with pytest.raises(AttributeError, match="immutable"):
        node.id = B  # type: ignore[misc]  # as intended


def test_a_goal_prints_or_saves() -> None:
    """Any other operation is refused where a goal is decoded."""
    assert msgspec.convert({"operation": "save", "id": A, "name": "x"}, Goal).operation == "save"
    with pytest.raises(msgspec.ValidationError, match="Invalid enum value 'show'"):
        msgspec.convert({"operation": "show", "id": A, "name": "x"}, Goal)


def test_plans_are_compared_by_their_content() -> None:
    """A plan without imports sees the default kernels only."""
    goal = Goal("print", A, "x")
    plan = WorkPlan({A: NODES[0]}, (goal,))
    assert plan == WorkPlan({A: Constant(A, 1.5)}, (goal,), ())
    assert plan != WorkPlan({A: Constant(A, 2.5)}, (goal,))
    assert plan != WorkPlan({A: NODES[0]}, (goal,), ("vox1",))
