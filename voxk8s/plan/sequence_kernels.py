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
"""`subsequence(xs, start, n)`, or all items from `start` on: `subsequence(xs, start)`."""
CHOOSE = "sequences.choose"
"""`choose(c, a, b)`: `a` if `c` is true, else `b`; the other one is not computed."""
KEEP = "sequences.keep"
"""`keep(xs, flags)`: the items whose flag is true."""
RECOVER = "sequences.recover"
"""`recover(e, value)`: `e`, or `value` if `e` can never be computed."""
ACCUMULATOR = "accumulator"
"""Name by which the body of a fold captures the result of the step before."""


def range_bounds(arguments: Sequence[Scalar | None]) -> tuple[int, int] | None:
    """Return the bounds of a range whose arguments are constants and whole numbers, or None."""
    match [as_integer(value) for value in arguments]:
        case [int(stop)]:
            return 0, stop
        case [int(start), int(stop)]:
            return start, stop
        case _:
            return None


def as_integer(value: Scalar | None) -> int | None:
    """Return a constant that is a whole number as an integer, or None."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value
