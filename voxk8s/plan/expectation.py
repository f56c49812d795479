"""Values that results are expected to have, so that a run can be checked against a known one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from voxk8s.errors import InvalidPlan
from voxk8s.plan.model import Scalar, WorkPlan
from voxk8s.plan.suggest import nearest

_MOST_BITS: Final = 1024
"""Python writes no integers of several thousand digits."""
_MOST_CHARACTERS: Final = 200


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
        if not isinstance(found, int | float):
            return False
        if isinstance(found, float) and not math.isfinite(found):
            return False
        try:
            return abs(found - self.value) <= self.within
        except OverflowError:  # an integer that is too large for a float is not near to one
            return False


def differences(expected: Sequence[Expectation], values: Mapping[str, object]) -> list[str]:
    """Return how values of goals differ from what is expected; goals without a value are left out.

    Only values that are expected are looked up.
    """
    found = [each.difference(values[each.name]) for each in expected if each.name in values]
    return [text for text in found if text is not None]


def describe_differences(found: Sequence[str]) -> str:
    """Return the message about a run whose values differ from what is expected."""
    count = "1 value is" if len(found) == 1 else f"{len(found)} values are"
    return f"All goals were reached, but {count} not as expected: {'; '.join(found)}"


def check_printed(expected: Sequence[Expectation], plan: WorkPlan, path: str) -> None:
    """Raise InvalidPlan for a value that is expected of what the plan does not print.

    `path` is where the list stands in its document.
    """
    printed = [goal.name for goal in plan.goals if goal.operation == "print"]
    for index, each in enumerate(expected):
        if each.name not in printed:
            near = nearest(each.name, printed)
            hint = f"did you mean {near!r}?" if near else "only the value of a print goal is known"
            raise InvalidPlan(f"nothing is printed as {each.name!r}; {hint}", f"{path}[{index}]")


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
