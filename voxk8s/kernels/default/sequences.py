"""Making sequences and taking them apart. Indices count from 0 and are whole numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.values import Value

LONGEST_RANGE: Final = 10_000_000
_BEYOND: Final = 2**63


def range_(first: Value, stop: Value = None) -> Value:
    """Give the whole numbers from `first` to below `stop`, or from 0 to below `first`.

    Empty when there are none; KernelError for numbers that are not whole.
    """
    low, high = (
        (0, whole("range", first))
        if stop is None
        else (
            whole("range", first),
            whole("range", stop),
        )
    )
    if high - low > LONGEST_RANGE:
        raise KernelError(f"range: {high - low} numbers; at most {LONGEST_RANGE} are allowed")
    return list(range(low, high))


def sequence(*items: Value) -> Value:
    """Give the sequence of the arguments."""
    return list(items)


def index(xs: Value, i: Value) -> Value:
    """Give item `i`; KernelError when it is out of range."""
    items = items_of("index", xs)
    position = whole("index", i)
    if not 0 <= position < len(items):
        raise KernelError(f"index: {position} is out of range: the sequence has {len(items)} items")
    return items[position]


def subsequence(xs: Value, start: Value, n: Value) -> Value:
    """Give `n` items from `start` on; KernelError when there are not so many."""
    items = items_of("subsequence", xs)
    first, count = whole("subsequence", start), whole("subsequence", n)
    if first < 0 or count < 0 or first + count > len(items):
        raise KernelError(
            f"subsequence: {count} items from {first} on are out of range:"
            f" the sequence has {len(items)} items"
        )
    return items[first : first + count]


def items_of(kernel: str, value: Value) -> list[Value]:
    """Give the items of a sequence or of an array; KernelError for anything else."""
    if isinstance(value, list):
        return value
    if isinstance(value, np.ndarray) and value.ndim:
        items: list[Value] = value.tolist()
        return items
    raise KernelError(f"{kernel}: needs a sequence, not {describe(value)}")


def whole(kernel: str, value: Value) -> int:
    """Give a whole number below 2^63 as int, whatever its form; KernelError for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _BEYOND:
        found = int(value)
        if found == value:
            return found
    raise KernelError(f"{kernel}: needs a whole number, not {describe(value)}")
