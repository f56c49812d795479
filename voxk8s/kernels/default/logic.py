"""Comparisons and logic of numbers, strings and truth values.

Numbers compare by value (`5 == 5.0`), strings by code points. `equal` and `not_equal` also take
sequences, item by item. Images do not compare as a whole: vox1 has thresholds for them.
"""

from __future__ import annotations

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.values import Value


def equal(a: Value, b: Value) -> Value:
    """Tell whether a == b of two numbers, strings, truth values or sequences.

    Values of different kinds are not equal.
    """
    return _equal("equal", a, b)


def not_equal(a: Value, b: Value) -> Value:
    """Tell whether a != b, the contrary of `equal`."""
    return not _equal("not_equal", a, b)


def less(a: Value, b: Value) -> Value:
    """Tell whether a < b of two numbers or two strings."""
    return _order("less", a, b) < 0


def less_equal(a: Value, b: Value) -> Value:
    """Tell whether a <= b of two numbers or two strings."""
    return _order("less_equal", a, b) <= 0


def greater(a: Value, b: Value) -> Value:
    """Tell whether a > b of two numbers or two strings."""
    return _order("greater", a, b) > 0


def greater_equal(a: Value, b: Value) -> Value:
    """Tell whether a >= b of two numbers or two strings."""
    return _order("greater_equal", a, b) >= 0


def both(a: Value, b: Value) -> Value:
    """Tell whether both are true; a number is true when it is not zero."""
    return _truth("both", a) and _truth("both", b)


def either(a: Value, b: Value) -> Value:
    """Tell whether one is true; a number is true when it is not zero."""
    return _truth("either", a) or _truth("either", b)


def negation(a: Value) -> Value:
    """Not a; a number is true when it is not zero."""
    return not _truth("negation", a)


def _equal(kernel: str, a: Value, b: Value) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_equal(kernel, x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, list) or isinstance(b, list):
        return False
    for value in (a, b):
        if not isinstance(value, bool | int | float | str | None):
            raise KernelError(f"{kernel}: cannot compare {describe(value)} as a whole")
    return a == b


def _order(kernel: str, a: Value, b: Value) -> int:
    if isinstance(a, str) and isinstance(b, str):
        return (a > b) - (a < b)
    if isinstance(a, bool | int | float) and isinstance(b, bool | int | float):
        if a != a or b != b:
            raise KernelError(f"{kernel}: NaN has no place in an order")
        return (a > b) - (a < b)
    raise KernelError(f"{kernel}: cannot order {describe(a)} and {describe(b)}")


def _truth(kernel: str, value: Value) -> bool:
    if not isinstance(value, bool | int | float):
        raise KernelError(f"{kernel}: needs a truth value, not {describe(value)}")
    return bool(value)
