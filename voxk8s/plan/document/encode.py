"""Encodes plans as documents in a normal form: equal plans have equal bytes.

Nodes follow the nodes that they need: those of the first goal first, then of the next, then the
rest by id. One node a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from msgspec import UNSET, structs

from voxk8s.errors import InvalidPlan
from voxk8s.plan.canonical import quote, scalar_text
from voxk8s.plan.document import wire
from voxk8s.plan.document.validate import MAX_LOOP_DEPTH
from voxk8s.plan.document.wire import Document, NodeForm
from voxk8s.plan.graph import Cycle, topological_order
from voxk8s.plan.model import Closure, Constant, Node, Operation, OperationId, Parameter, WorkPlan

Json: TypeAlias = "str | bool | int | float | list[Json] | dict[str, Json]"

_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON does not escape, and YAML forbids or reads as a line break."""


def encode(
    plan: WorkPlan,
    format: Literal["json", "yaml", "dot"] = "json",  # noqa: A002 - the name that users know
) -> bytes:
    """Return a plan in normal form; decoding and encoding again returns the same bytes."""
    if format == "dot":
        return _dot(plan).encode()
    if format == "yaml":
        return _yaml(plan).encode()
    return _json(plan).encode()


def to_resource(plan: WorkPlan) -> dict[str, Json]:
    """Return a plan for `spec.source.plan`: numbers in forms that no API server changes."""
    content: dict[str, Json] = {"imports": [*plan.imports]} if plan.imports else {}
    nodes, goals = _rows(plan)
    return {**content, "nodes": [_exact(node) for node in nodes], "goals": [*goals]}


def to_document(plan: WorkPlan) -> Document:
    """Return the wire form of a plan, nodes in normal order."""
    goals = [wire.GoalForm(goal.operation, goal.id, goal.name) for goal in plan.goals]
    return Document(_forms(plan.nodes, [goal.id for goal in plan.goals]), goals, [*plan.imports])


def node_needs(node: Node) -> tuple[OperationId, ...]:
    """Return the nodes of the same scope that a node needs."""
    if isinstance(node, Operation):
        return node.arguments
    if isinstance(node, Closure):
        return tuple([need for _, need in sorted(node.captures.items())])
    return ()


def ordered(nodes: Mapping[OperationId, Node], roots: Iterable[OperationId]) -> list[Node]:
    """Return all nodes in normal order; raises InvalidPlan for a cycle."""
    needs = {name: node_needs(node) for name, node in nodes.items()}
    try:
        order = topological_order(needs, [*roots, *sorted(needs)])
    except Cycle as cycle:
        raise InvalidPlan(f"operations form a cycle through {cycle.members[0]}") from cycle
    return [nodes[name] for name in order]


def _forms(
    nodes: Mapping[OperationId, Node], roots: Iterable[OperationId], depth: int = 0
) -> list[NodeForm]:
    forms: list[NodeForm] = []
    for node in ordered(nodes, roots):
        if isinstance(node, Operation):
            arguments: dict[str, str] = {
                str(place): name for place, name in enumerate(node.arguments)
            }
            forms.append(wire.OperationForm(node.id, node.operator, arguments, node.buffer_id))
        elif isinstance(node, Constant):
            forms.append(wire.ConstantForm(node.id, value=node.value, buffer_id=node.buffer_id))
        elif isinstance(node, Parameter):
            forms.append(wire.ParameterForm(node.id, node.name))
        else:
            _check_depth(depth)
            body = _forms(node.nodes, [node.result], depth + 1)
            forms.append(
                wire.ClosureForm(
                    id=node.id,
                    variable=node.variable,
                    captures=dict(node.captures),
                    nodes=body,
                    result=node.result,
                )
            )
    return forms


def _rows(plan: WorkPlan) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    """Return the members of every node and of every goal."""
    document = to_document(plan)
    return [*map(_fields, document.nodes)], [structs.asdict(goal) for goal in document.goals]


def _fields(form: NodeForm) -> dict[str, Json]:
    """Return the members of a node in the order in which they are written."""
    fields: dict[str, Json] = {"id": form.id, "type": str(form.__struct_config__.tag)}
    given = structs.asdict(form)
    if isinstance(form, wire.ClosureForm):
        given["captures"] = dict(sorted((form.captures or {}).items()))
        given["nodes"] = [_fields(node) for node in form.nodes]
    return fields | {
        name: each for name, each in given.items() if each is not None and each is not UNSET
    }


def _check_depth(depth: int) -> None:
    if depth >= MAX_LOOP_DEPTH:
        raise InvalidPlan(f"loops are nested deeper than {MAX_LOOP_DEPTH}")


def _exact(fields: dict[str, Json]) -> dict[str, Json]:
    """Replace numbers by their exact forms, also in the nodes of closures."""
    nodes = fields.get("nodes")
    if isinstance(nodes, list):
        return {**fields, "nodes": [_exact(node) for node in nodes if isinstance(node, dict)]}
    value = fields.get("value")
    if isinstance(value, float):
        exact: tuple[str, Json] = ("float", scalar_text(value))
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        exact = ("int", scalar_text(value))
    else:
        return fields
    return dict([exact if member == "value" else (member, each) for member, each in fields.items()])


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


def _json(plan: WorkPlan) -> str:
    parts = [f'"imports": {_text([*plan.imports])}'] if plan.imports else []
    for name, rows in zip(("nodes", "goals"), _rows(plan), strict=True):
        lines = ",\n".join(["    " + _text(row) for row in rows])
        parts.append(f'"{name}": [\n{lines}\n  ]' if rows else f'"{name}": []')
    return "{\n  " + ",\n  ".join(parts) + "\n}\n"


def _yaml(plan: WorkPlan) -> str:
    """Return block style with JSON scalars: strings are always quoted."""
    parts = [f"imports: {_text([*plan.imports])}\n"] if plan.imports else []
    for name, rows in zip(("nodes", "goals"), _rows(plan), strict=True):
        lines = [_yaml_item(row) for row in rows]
        parts.append(f"{name}:\n{''.join(lines)}" if rows else f"{name}: []\n")
    text = "".join(parts)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _yaml_item(fields: dict[str, Json]) -> str:
    return "- " + "  ".join(
        f"{member}: {each if member in _UNQUOTED else _text(each)}\n"
        for member, each in fields.items()
    )


_UNQUOTED = frozenset({"type", "operation"})
"""Members whose values are keywords of this format."""


def _dot(plan: WorkPlan) -> str:
    lines = ["digraph workplan {"]
    order = ordered(plan.nodes, [goal.id for goal in plan.goals])
    lines += [f"  {_dot_text(node.id)} [label={_dot_text(_dot_label(node))}]" for node in order]
    for node in order:
        lines += [f"  {_dot_text(need)} -> {_dot_text(node.id)}" for need in node_needs(node)]
    for place, goal in enumerate(plan.goals):
        label = _dot_text(f"{goal.operation} {goal.name}")
        lines.append(f'  "goal {place}" [label={label}, shape=box]')
        lines.append(f'  {_dot_text(goal.id)} -> "goal {place}"')
    return "\n".join([*lines, "}", ""])


def _dot_label(node: Node) -> str:
    if isinstance(node, Operation):
        return node.operator
    if isinstance(node, Constant):
        return scalar_text(node.value)
    return f"for {node.variable}" if isinstance(node, Closure) else node.name


def _dot_text(text: str) -> str:
    """Quote for DOT, where only quotes and backslashes are special; line breaks are escaped."""
    plain = quote(text)[1:-1].replace('\\"', '"')
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
