"""Schema of an inline plan, for `kubectl explain` and for what can be refused when it is applied.

It is written by hand, since numbers of an inline plan must be kept as they are and decoding changes
them. Unknown fields are kept: the operator names those that it does not accept, with their path.
"""

from __future__ import annotations

from typing import Any, Final

NAME_LENGTH: Final = 4096
"""Maximum characters of a goal's name, which the status repeats."""
_ID_LENGTH: Final = 4096
_NUMBER_LENGTH: Final = 5000
_MOST_NODES: Final = 50_000
_MOST_GOALS: Final = 10_000
_OPEN: Final = {"x-kubernetes-preserve-unknown-fields": True}


def _text(description: str, most: int, **more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": most, "description": description, **more}


def _ids(description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "maxProperties": _MOST_NODES,
        "additionalProperties": {"type": "string", "maxLength": _ID_LENGTH},
    }


_NODE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "type"],
    "properties": {
        "id": _text("Id that goals and arguments refer to.", _ID_LENGTH),
        "type": {
            "type": "string",
            "enum": ["closure", "constant", "operation", "parameter"],
            "description": "Kind of the node.",
        },
        "value": {"description": "Value of a constant: number, text, true or false.", **_OPEN},
        "float": _text("Value of a constant as the exact text of a float.", _NUMBER_LENGTH),
        "int": _text("Value of a constant as the exact text of an integer.", _NUMBER_LENGTH),
        "operator": _text("Kernel of an operation.", 1024),
        "arguments": _ids('Ids of the arguments of an operation, by position: "0", "1", ...'),
        "name": _text("Name of a parameter.", _ID_LENGTH),
        "variable": _text("Parameter of a closure.", _ID_LENGTH),
        "captures": _ids("Ids of what a closure uses from outside, by name."),
        "nodes": {
            "type": "array",
            "maxItems": _MOST_NODES,
            "description": "Nodes of a closure, with the same fields.",
            "items": {"type": "object", **_OPEN},
        },
        "result": _text("Id of the result of a closure.", _ID_LENGTH),
    },
    **_OPEN,
}
_GOAL: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "name", "operation"],
    "properties": {
        "operation": {
            "type": "string",
            "enum": ["print", "save"],
            "description": "print for a value in the status, save for a file.",
        },
        "id": _text("Id of the node whose value is wanted.", _ID_LENGTH),
        "name": _text("Name of the result, or of the file.", NAME_LENGTH),
    },
    **_OPEN,
}
PLAN_SCHEMA: Final[dict[str, Any]] = {
    "required": ["goals", "nodes"],
    "properties": {
        "nodes": {
            "type": "array",
            "minItems": 1,
            "maxItems": _MOST_NODES,
            "description": "Constants, operations and loops.",
            "items": _NODE,
        },
        "goals": {
            "type": "array",
            "minItems": 1,
            "maxItems": _MOST_GOALS,
            "description": "What is to be computed, in the order of the results.",
            "items": _GOAL,
        },
        "imports": {
            "type": "array",
            "maxItems": 1000,
            "description": "Namespaces in which kernels are found without their namespace.",
            "items": {"type": "string", "maxLength": 1024},
        },
    },
}
"""Fields of `spec.source.plan`."""
