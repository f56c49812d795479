"""The forms in which a function of SimpleITK can be called."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: `kind` says how an argument is converted for it.

    That of an enumeration has `choices`, the numbers of its names; a number, or the voxels of an
    image, may have a `least` and a `most` beyond which ITK crashes or does not end. Unless `blank`,
    an image of unsigned integers may not be 0 everywhere, for the same reason.
    """

    name: str
    kind: str
    optional: bool
    choices: Mapping[str, int] = field(default_factory=dict, hash=False)
    least: float = -math.inf
    most: float = math.inf
    blank: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """One overload. With `named` it is called by the names of its parameters."""

    parameters: tuple[Parameter, ...]
    result: str
    named: bool = False

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Form:
        """Read a form as the table has it."""
        parameters = tuple(Parameter(**parameter) for parameter in data["parameters"])
        return cls(parameters, data["result"], bool(data.get("named", False)))

    @property
    def minimum(self) -> int:
        """How many arguments it needs."""
        return sum(not parameter.optional for parameter in self.parameters)

    @property
    def maximum(self) -> int:
        """How many arguments it takes."""
        return len(self.parameters)

    def __str__(self) -> str:
        words = (
            f"{parameter.name}: {parameter.kind}{'?' if parameter.optional else ''}"
            for parameter in self.parameters
        )
        return f"({', '.join(words)})"
