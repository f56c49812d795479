"""Operation ids: the SHA-256 of a node's structure, exactly as upstream names nodes.

Constants and operations have upstream's pre-images. Closures differ on purpose: upstream leaves
what a closure captures out of its id, so two different loops could share one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from voxk8s.plan.canonical import canonical, digest, quote, scalar_text
from voxk8s.plan.model import Closure, Constant, Node, Operation, OperationId, Parameter, Scalar

_SORTED_BY_TEXT = 10
"""Up to this many arguments "0", "1", … is also the order of their texts."""


def constant_id(value: Scalar) -> OperationId:
    """Name a constant; raises ValueError when the value has no canonical text."""
    return OperationId(digest('{"value":' + scalar_text(value) + "}"))


def operation_id(operator: str, arguments: Sequence[OperationId]) -> OperationId:
    """Name an operation by its operator, as the plan spells it, and its arguments."""
    return quoted_operation_id(quote(operator), arguments)


def quoted_operation_id(operator: str, arguments: Sequence[OperationId]) -> OperationId:
    """Name an operation whose operator is canonical text already."""
    if len(arguments) == 2:
        text = f'"0":"{arguments[0]}","1":"{arguments[1]}"'
    elif len(arguments) <= _SORTED_BY_TEXT:
        text = ",".join([f'"{place}":"{name}"' for place, name in enumerate(arguments)])
    else:
        named = sorted((str(place), name) for place, name in enumerate(arguments))
        text = ",".join([f'"{place}":"{name}"' for place, name in named])
    return OperationId(digest(f'{{"arguments":{{{text}}},"operator":{operator}}}'))


def parameter_id(name: str) -> OperationId:
    """Name a hole in a closure's body."""
    return OperationId(digest('{"parameter":' + quote(name) + "}"))


def closure_id(
    variable: str, captures: Mapping[str, OperationId], result: OperationId
) -> OperationId:
    """Name a closure by its variable, what it captures and its body's result."""
    pre_image = {"captures": dict(captures), "result": result, "variable": variable}
    return OperationId(digest(canonical(pre_image)))


def constant(value: Scalar) -> Constant:
    """Make a constant with its id."""
    return Constant(constant_id(value), value)


def operation(operator: str, arguments: Iterable[OperationId] = ()) -> Operation:
    """Make an operation with its id."""
    places = tuple(arguments)
    return Operation(operation_id(operator, places), operator, places)


def parameter(name: str) -> Parameter:
    """Make a hole in a closure's body with its id."""
    return Parameter(parameter_id(name), name)


def closure(
    variable: str, captures: Mapping[str, OperationId], nodes: Iterable[Node], result: OperationId
) -> Closure:
    """Make a closure with its id; `nodes` are all nodes of its body."""
    name = closure_id(variable, captures, result)
    return Closure(name, variable, dict(captures), {node.id: node for node in nodes}, result)
