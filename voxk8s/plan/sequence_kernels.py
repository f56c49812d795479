"""Sequences whose items a plan knows: what these kernels of `default` give, without running them.

Only what is certain is answered; everything else (bounds that are not whole, indices out of range)
is left to the kernel, which then says what is wrong.
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
"""What the body of a fold captures its value so far as."""

MAX_ITEMS = 1_000_000
"""Items of one loop, and operations of all loops together."""


def range_bounds(arguments: Sequence[Scalar | None]) -> tuple[int, int] | None:
    """Give the bounds of a range whose arguments are constants and whole."""
    numbers = [as_integer(value) for value in arguments]
    if len(numbers) == 1 and numbers[0] is not None:
        return 0, numbers[0]
    if len(numbers) == 2:
        start, stop = numbers
        if start is not None and stop is not None:
            return start, stop
    return None


def as_integer(value: Scalar | None) -> int | None:
    """Give a constant as an integer if it is a whole number."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value
