"""The table of SimpleITK's functions: the overloads of each, and the parameters of an overload."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_TYPE_NAMES: Final = {
    "integer": "number",
    "extents": "any",
    "layout": "any",
    "labels": "image",
    "pairs": "sequence",
    "point": "sequence",
    "points": "sequence",
}
_VECTORS: Final = frozenset(("integers", "numbers", "images", "labellings", "enum"))


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; `kind` selects the conversion of its arguments.

    A parameter of an enumeration type has `choices`: the values of its enumerators by name. A
    number, or the voxels of an image, may have the bounds `least` and `most`, beyond which ITK
    crashes or does not end. Unless `blank`, an image of unsigned integers must not be 0 everywhere,
    for the same reason.
    """

    name: str
    kind: str
    optional: bool
    choices: Mapping[str, int] = field(default_factory=dict, hash=False)
    least: float = -math.inf
    most: float = math.inf
    blank: bool = True


@dataclass(frozen=True, slots=True)
class Overload:
    """An overload of a function; `named` if it must be called with keyword arguments."""

    parameters: tuple[Parameter, ...]
    result: str
    named: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Overload:
        """Create an overload from its entry in the table."""
        parameters = tuple(Parameter(**parameter) for parameter in data["parameters"])
        return cls(parameters, data["result"], bool(data.get("named", False)))

    @property
    def minimum(self) -> int:
        """Number of arguments that are required."""
        return sum(not parameter.optional for parameter in self.parameters)

    @property
    def maximum(self) -> int:
        """Number of arguments that are allowed."""
        return len(self.parameters)

    def __str__(self) -> str:
        parameters = (
            f"{parameter.name}: {parameter.kind}{'?' if parameter.optional else ''}"
            for parameter in self.parameters
        )
        return f"({', '.join(parameters)})"


def load_functions() -> dict[str, tuple[Overload, ...]]:
    """Read the table of the package; return the overloads of each function by its name."""
    return {
        name: tuple(map(Overload.from_json, entry["overloads"])) for name, entry in _table().items()
    }


def load_types() -> dict[str, str]:
    """Read the table of the package; return the types of each function, as `make_spec` takes them.

    Every run needs them, and few need the overloads, which take five times as long to make.
    """
    return {name: _types(entry["overloads"]) for name, entry in _table().items()}


def _table() -> dict[str, Any]:
    text = Path(__file__).with_name("functions.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def _types(overloads: Sequence[Mapping[str, Any]]) -> str:
    lists = [overload["parameters"] for overload in overloads]
    minimum = min(sum(not each["optional"] for each in parameters) for parameters in lists)
    types: list[str] = []
    for position in range(max(map(len, lists))):
        kinds = {each[position]["kind"] for each in lists if position < len(each)}
        # A vector may be given as a number, an enumerator as a name or a number.
        name = kinds.pop() if len(kinds) == 1 and not kinds & _VECTORS else "any"
        types.append(_TYPE_NAMES.get(name, name) + ("" if position < minimum else "?"))
    return f"{' '.join(types)} -> {overloads[0]['result']}"
