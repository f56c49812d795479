"""Finds NaN and infinities in values, and says of a goal where they began."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from voxk8s.plan.model import OperationId
from voxk8s.values import Image, Value

_UNKNOWN: Final = OperationId("")


def not_finite(value: Value) -> str:
    """Return `NaN` or `an infinity` for a value that is one or has one in it, else nothing."""
    waiting: list[Value] = [value]
    infinite = False
    while waiting:
        found = waiting.pop()
        if isinstance(found, float):
            if math.isnan(found):
                return "NaN"
            infinite = infinite or math.isinf(found)
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, Mapping):
            waiting += found.values()
        elif isinstance(found, Image):
            waiting.append(found.array)
        elif isinstance(found, np.ndarray) and found.dtype.kind == "f":
            if np.isfinite(found).all():
                continue
            if np.isnan(found).any():
                return "NaN"
            infinite = True
    return "an infinity" if infinite else ""


@dataclass(frozen=True, slots=True)
class NotFinite:
    """NaN or infinities in a goal, and the operation where they began.

    `found` is what the goal has in it, `began` what the operation gave that had none among its
    arguments; of several such operations one is named. `input` is its address if it is an input.
    All are empty where the operation is not known. `place` is its `file:line:column`.
    """

    goal: str
    found: str
    began: str = ""
    kernel: str = ""
    operation: OperationId = _UNKNOWN
    input: str = ""
    place: str = ""

    def __str__(self) -> str:
        text = f"{self.goal} has {self.found} in it"
        if not self.kernel:
            return text
        at = self.place or self.operation[:12]
        began = "" if self.began == self.found else f": {self.began}"
        if self.input:
            return f"{text}{began or ', which'} is in the input {self.input} ({at})"
        return f"{text}{began or ', which'} began in {self.kernel} ({at})"

    def members(self) -> dict[str, Value]:
        """Return what is known of the operation, as a value that the store takes."""
        operation = str(self.operation)
        return {
            "began": self.began,
            "kernel": self.kernel,
            "operation": operation,
            "input": self.input,
        }

    def with_members(self, members: Mapping[str, object]) -> NotFinite:
        """Return the same with what `members` says of the operation."""
        began, kernel, operation, url = (
            str(members.get(each, "")) for each in ("began", "kernel", "operation", "input")
        )
        return replace(
            self, began=began, kernel=kernel, operation=OperationId(operation), input=url
        )
