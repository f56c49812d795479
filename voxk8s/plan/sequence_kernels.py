"""Kernels of sequences that are evaluated in a plan, without running them.

Only valid arguments are evaluated; all others (bounds that are not whole, indices out of range)
are left to the kernel, which raises the error.
"""

from __future__ import annotations

from collections.abc import Sequence

from voxk8s.plan.model import Scalar

SEQUENCE = "default.sequence"
"""Its arguments, in order; also the value of a loop."""
RANGE = "default.range"
"""`range(b)` or `range(a, b)`: the integers a..b-1."""
INDEX = "default.index"
"""`index(xs, i)`, from 0."""
SUBSEQUENCE = "default.subsequence"
"""`subsequence(xs, start, n)`."""
ACCUMULATOR = "accumulator"
"""Name by which the body of a fold captures the result of the step before."""

MAX_ITEMS = 1_000_000
"""Most items of one loop, and most operations of all loops together."""


def range_bounds(arguments: Sequence[Scalar | None]) -> tuple[int, int] | None:
    """Return the bounds of a range whose arguments are constants and whole numbers, or None."""
    numbers = [as_integer(value) for value in arguments]
    if len(numbers) == 1 and numbers[0] is not None:
        return 0, numbers[0]
    if len(numbers) == 2:
        start, stop = numbers
        if start is not None and stop is not None:
            return start, stop
    return None


def as_integer(value: Scalar | None) -> int | None:
    """Return a constant that is a whole number as an integer, or None."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value
