"""Makes the closure of a loop from the nodes of its body."""

from __future__ import annotations

from typing import NamedTuple

from voxk8s.imgql.reduce.node_table import ITEM, NodeTable, capture_name, postorder
from voxk8s.plan.identity import closure, operation, parameter
from voxk8s.plan.model import Closure, Constant, Node, Operation, OperationId
from voxk8s.plan.sequence_kernels import ACCUMULATOR


class Accumulator(NamedTuple):
    """The placeholder of a fold's accumulator, and its initial value."""

    placeholder: OperationId
    initial: OperationId


def make_closure(
    table: NodeTable, item: OperationId, result: OperationId, accumulator: Accumulator | None = None
) -> OperationId:
    """Return the closure of all that `result` needs inside the loop or fold with this item.

    What does not depend on the item is captured, so that it is computed once; constants and unbound
    geometry are copied into the body.
    """
    loop_depth = table.loop_depths[item]
    captured: list[OperationId] = []
    made: dict[OperationId, Node] = {}

    def needed(name: OperationId) -> tuple[OperationId, ...]:
        # Nodes outside the loop are leaves.
        return () if _is_outside(table, name, loop_depth) else table.needed(name)

    for name in postorder([result], needed):
        node = table.nodes[name]
        if name == item:
            made[name] = parameter(ITEM)
        elif accumulator is not None and name == accumulator.placeholder:
            made[name] = parameter(ACCUMULATOR)
        elif isinstance(node, Constant):
            made[name] = node
        elif _is_outside(table, name, loop_depth):
            made[name] = parameter(capture_name(len(captured)))
            captured.append(name)
        else:
            made[name] = _rebuild(node, made)
            origin = table.origins.get(name)
            if origin is not None:
                table.origins.setdefault(made[name].id, origin)
    captures = {capture_name(index): each for index, each in enumerate(captured)}
    if accumulator is not None:
        captures[ACCUMULATOR] = accumulator.initial
    return table.closure(captures, made.values(), made[result].id)


def _rebuild(node: Node, made: dict[OperationId, Node]) -> Node:
    if isinstance(node, Operation):
        return operation(node.operator, [made[each].id for each in node.arguments])
    assert isinstance(node, Closure)  # noqa: S101 - the caller handles constants and placeholders
    captures = {name: made[each].id for name, each in node.captures.items()}
    return closure(node.variable, captures, node.nodes.values(), node.result)


def _is_outside(table: NodeTable, name: OperationId, loop_depth: int) -> bool:
    # An inner loop's body cannot be captured, only the values that it captures.
    inside = name in table.unbound or isinstance(table.nodes[name], Closure)
    return not inside and table.loop_depths.get(name, 0) < loop_depth
