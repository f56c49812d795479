"""Comparisons and logic of numbers, strings and truth values.

Numbers are compared by value (`5 == 5.0`), strings by code points. `equal` and `not_equal` also
take sequences, which are compared item by item. Images cannot be compared: see the thresholds of
vox1.
"""

from __future__ import annotations

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.values import Value


def equal(a: Value, b: Value) -> Value:
    """Return whether a == b for two numbers, strings, truth values or sequences.

    Values of different types are not equal.
    """
    return _equal("equal", a, b)


def not_equal(a: Value, b: Value) -> Value:
    """Return whether a != b, the negation of `equal`."""
    return not _equal("not_equal", a, b)


def less(a: Value, b: Value) -> Value:
    """Return whether a < b for two numbers or two strings."""
    return _order("less", a, b) < 0


def less_equal(a: Value, b: Value) -> Value:
    """Return whether a <= b for two numbers or two strings."""
    return _order("less_equal", a, b) <= 0


def greater(a: Value, b: Value) -> Value:
    """Return whether a > b for two numbers or two strings."""
    return _order("greater", a, b) > 0


def greater_equal(a: Value, b: Value) -> Value:
    """Return whether a >= b for two numbers or two strings."""
    return _order("greater_equal", a, b) >= 0


def both(a: Value, b: Value) -> Value:
    """Return whether both are true; numbers are true if they are not zero."""
    return _truth("both", a) and _truth("both", b)


def either(a: Value, b: Value) -> Value:
    """Return whether at least one is true; numbers are true if they are not zero."""
    return _truth("either", a) or _truth("either", b)


def negation(a: Value) -> Value:
    """Return whether `a` is false; numbers are true if they are not zero."""
    return not _truth("negation", a)


def _equal(kernel: str, a: Value, b: Value) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_equal(kernel, x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, list) or isinstance(b, list):
        return False
    for value in (a, b):
        if not isinstance(value, bool | int | float | str | None):
            raise KernelError(
                f"{kernel}: expected numbers, strings, truth values or sequences, got"
                f" {describe(value)}"
            )
    return a == b


def _order(kernel: str, a: Value, b: Value) -> int:
    if isinstance(a, str) and isinstance(b, str):
        return (a > b) - (a < b)
    if isinstance(a, bool | int | float) and isinstance(b, bool | int | float):
        if a != a or b != b:
            raise KernelError(f"{kernel}: expected numbers that can be ordered, got NaN")
        return (a > b) - (a < b)
    raise KernelError(
        f"{kernel}: expected two numbers or two strings, got {describe(a)} and {describe(b)}"
    )


def _truth(kernel: str, value: Value) -> bool:
    if not isinstance(value, bool | int | float):
        raise KernelError(f"{kernel}: expected a truth value, got {describe(value)}")
    return bool(value)
