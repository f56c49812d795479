"""Construction and indexing of sequences. Indices count from 0; numbers must be whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_integer, require_sequence
from voxk8s.values import Value

LONGEST_RANGE: Final = 10_000_000
_SHOWN: Final = 12
"""Names of a mapping in a message."""


def range_(first: Value, stop: Value = None) -> Value:
    """Return the integers from `first` to below `stop`, or from 0 to below `first`.

    Empty if there are none. KernelError for numbers that are not whole and for more than 10,000,000
    items.
    """
    start, end = (0, first) if stop is None else (first, stop)
    low, high = require_integer("range", start), require_integer("range", end)
    if high - low > LONGEST_RANGE:
        raise KernelError(f"range: expected at most {LONGEST_RANGE} numbers, got {high - low}")
    return list(range(low, high))


def sequence(*items: Value) -> Value:
    """Return the sequence of the arguments."""
    return list(items)


def index(xs: Value, i: Value) -> Value:
    """Return item `i` of a sequence, or what a mapping has under the string `i`.

    KernelError if there is none.
    """
    if isinstance(xs, Mapping):
        if not isinstance(i, str) or i not in xs:
            known = ", ".join(list(xs)[:_SHOWN])
            raise KernelError(f"index: expected one of the names {known}, got {describe(i)}")
        return xs[i]
    items = require_sequence("index", xs)
    position = require_integer("index", i)
    if not 0 <= position < len(items):
        raise KernelError(f"index: {position} is out of range: the sequence has {len(items)} items")
    return items[position]


def subsequence(xs: Value, start: Value, n: Value = None) -> Value:
    """Return `n` items from item `start` on; KernelError if one of them is out of range.

    Without `n`, all items from `start` on; none if there are no more.
    """
    items = require_sequence("subsequence", xs)
    first = require_integer("subsequence", start)
    count = max(0, len(items) - first) if n is None else require_integer("subsequence", n)
    if n is None and first > len(items):
        return []
    if first < 0 or count < 0 or first + count > len(items):
        raise KernelError(
            f"subsequence: {count} items from {first} on are out of range:"
            f" the sequence has {len(items)} items"
        )
    return items[first : first + count]
