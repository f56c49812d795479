"""Values that results are expected to have, so that a run can be checked against a known one."""

from __future__ import annotations

import math

import msgspec

from voxk8s.plan.model import Scalar


class Expectation(msgspec.Struct, frozen=True):
    """`expect "name" value within tolerance`: the value of a printed goal, within an amount."""

    name: str
    value: Scalar
    within: float = 0.0

    def difference(self, found: object) -> str | None:
        """Return how a value differs from what is expected, None if it does not."""
        if self._is_met(found):
            return None
        simple = isinstance(found, bool | int | float | str)
        shown = _text(found) if simple else "another kind of value"  # type: ignore[arg-type]
        tolerance = f" within {self.within!r}" if self.within else ""
        return f"{self.name}: expected {_text(self.value)}{tolerance}, found {shown}"

    def _is_met(self, found: object) -> bool:
        if isinstance(self.value, bool | str) or isinstance(found, bool):
            return type(found) is type(self.value) and found == self.value
        if not isinstance(found, int | float) or not math.isfinite(found):
            return False
        return abs(found - self.value) <= self.within


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)
