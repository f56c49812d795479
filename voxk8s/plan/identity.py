"""Operation ids: the SHA-256 of a node's structure, by the algorithm of the upstream system.

Constants and operations have upstream's pre-images. Closures differ on purpose: upstream leaves
the captures of a closure out of its id, so that two different loops may have one id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from voxk8s.plan.canonical import canonical, digest, quote, scalar_text
from voxk8s.plan.model import Closure, Constant, Node, Operation, OperationId, Parameter, Scalar

_SORTED_BY_TEXT = 10
"""Up to this many arguments, numeric order and text order of their keys are the same."""


def constant_id(value: Scalar) -> OperationId:
    """Return the id of a constant; raises ValueError for a value without canonical text."""
    # As in `quoted_operation_id`, without two more calls.
    text = '{"value":' + scalar_text(value) + "}"
    return sha256(text.encode()).hexdigest()  # type: ignore[return-value]


def operation_id(operator: str, arguments: Sequence[OperationId]) -> OperationId:
    """Return the id of an operation; `operator` is the kernel's name as the plan spells it."""
    return quoted_operation_id(quote(operator), arguments)


def quoted_operation_id(operator: str, arguments: Sequence[OperationId]) -> OperationId:
    """Return the id of an operation whose operator is canonical text already."""
    if len(arguments) == 2:
        one, other = arguments
        text = f'"0":"{one}","1":"{other}"'
    elif len(arguments) <= _SORTED_BY_TEXT:
        text = ",".join([f'"{place}":"{name}"' for place, name in enumerate(arguments)])
    else:
        named = sorted((str(place), name) for place, name in enumerate(arguments))
        text = ",".join([f'"{place}":"{name}"' for place, name in named])
    # Without calls of `digest` and `OperationId`: a large plan spends a tenth of its time in them.
    return sha256(  # type: ignore[return-value]
        f'{{"arguments":{{{text}}},"operator":{operator}}}'.encode()
    ).hexdigest()


def parameter_id(name: str) -> OperationId:
    """Return the id of a parameter of a closure."""
    return OperationId(digest('{"parameter":' + quote(name) + "}"))


def closure_id(
    variable: str, captures: Mapping[str, OperationId], result: OperationId
) -> OperationId:
    """Return the id of a closure from its variable, captures and the result of its body."""
    pre_image = {"captures": dict(captures), "result": result, "variable": variable}
    return OperationId(digest(canonical(pre_image)))


def constant(value: Scalar) -> Constant:
    """Create a constant with its id."""
    return Constant(constant_id(value), value)


def operation(operator: str, arguments: Iterable[OperationId] = ()) -> Operation:
    """Create an operation with its id."""
    places = tuple(arguments)
    return Operation(operation_id(operator, places), operator, places)


def parameter(name: str) -> Parameter:
    """Create a parameter of a closure with its id."""
    return Parameter(parameter_id(name), name)


def closure(
    variable: str, captures: Mapping[str, OperationId], nodes: Iterable[Node], result: OperationId
) -> Closure:
    """Create a closure with its id; `nodes` are all nodes of its body."""
    name = closure_id(variable, captures, result)
    return Closure(name, variable, dict(captures), {node.id: node for node in nodes}, result)
