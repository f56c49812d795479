"""The work plan: nodes, goals and their names; pure data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NewType, TypeAlias

import msgspec

OperationId = NewType("OperationId", str)
"""SHA-256 (hex) of a node's structure: the name of a node in a plan."""
ResultKey = NewType("ResultKey", str)
"""SHA-256 (hex) of what a node computes, contents of inputs included: the name in the store."""
Digest = NewType("Digest", str)
"""SHA-256 (hex) of bytes."""

Scalar: TypeAlias = str | bool | int | float


BufferId: TypeAlias = str | int
"""An upstream compiler's id for the memory of a node: kept, never interpreted."""


class Constant(msgspec.Struct, frozen=True, gc=False, tag="constant", tag_field="type"):
    """A number, a truth value or a string of the program."""

    id: OperationId
    value: Scalar
    buffer_id: BufferId | None = None


class Operation(msgspec.Struct, frozen=True, gc=False, tag="operation", tag_field="type"):
    """A kernel, named as the program names it, applied to other nodes."""

    id: OperationId
    operator: str
    arguments: tuple[OperationId, ...]
    buffer_id: BufferId | None = None


class Parameter(msgspec.Struct, frozen=True, gc=False, tag="parameter", tag_field="type"):
    """A placeholder in the body of a closure: the loop's item, or a captured node."""

    id: OperationId
    name: str


class Closure(msgspec.Struct, frozen=True, tag="closure", tag_field="type"):
    """A loop's body: nodes of its own over one variable and the captures.

    `captures` maps names of parameters inside the body to nodes outside; every `Parameter` in
    `nodes` is named `variable` or is a key of `captures`. `result` is the node of the body whose
    value is that of the closure.
    """

    id: OperationId
    variable: str
    captures: Mapping[str, OperationId]
    nodes: Mapping[OperationId, Node]
    result: OperationId


Node: TypeAlias = Constant | Operation | Parameter | Closure


class Goal(msgspec.Struct, frozen=True, gc=False):
    """An output that the plan asks for; `name` is the label of a print or the path of a save."""

    operation: Literal["print", "save"]
    id: OperationId
    name: str


class WorkPlan(msgspec.Struct, frozen=True):
    """A plan whose ids are checked: `nodes` is closed under arguments and has no cycle."""

    nodes: Mapping[OperationId, Node]
    goals: tuple[Goal, ...]
    imports: tuple[str, ...] = ()
