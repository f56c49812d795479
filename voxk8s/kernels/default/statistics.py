"""Statistics of sequences of numbers.

An empty sequence, an item that is no number and NaN are a KernelError. Sums are exact to the last
bit of float64 (`math.fsum`), so the order of summation does not matter.
"""

from __future__ import annotations

import math
from collections import Counter

from voxk8s.errors import KernelError
from voxk8s.kernels.default.sequences import items_of
from voxk8s.kernels.text import describe
from voxk8s.values import Value


def mean(xs: Value) -> Value:
    """Give the arithmetic mean."""
    numbers = _numbers("mean", xs)
    return math.fsum(numbers) / len(numbers)


def median(xs: Value) -> Value:
    """Give the middle item in order; of an even number the mean of the two middle ones."""
    numbers = sorted(_numbers("median", xs))
    middle = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[middle]
    return (numbers[middle - 1] + numbers[middle]) / 2


def stdev(xs: Value) -> Value:
    """Give the standard deviation of a sample (divisor n - 1); 0 for one item."""
    numbers = _numbers("stdev", xs)
    if len(numbers) < 2:
        return 0.0
    centre = math.fsum(numbers) / len(numbers)
    squares = math.fsum((number - centre) ** 2 for number in numbers)
    return math.sqrt(squares / (len(numbers) - 1))


def argmax(xs: Value) -> Value:
    """Give the index of the largest item; of the first one on a tie."""
    numbers = _numbers("argmax", xs)
    return numbers.index(max(numbers))


def argsort(xs: Value) -> Value:
    """Give the indices of the items in ascending order; ties keep their order."""
    numbers = _numbers("argsort", xs)
    order: list[int] = sorted(range(len(numbers)), key=lambda position: numbers[position])
    return [*order]


def tally(xs: Value) -> Value:
    """Give `[item, count]` for each distinct item, ascending; numbers, strings or truth values.

    Numbers that are equal count as one item, in the form of the first. An empty sequence gives an
    empty one.
    """
    items = items_of("tally", xs)
    for item in items:
        if not isinstance(item, bool | int | float | str) or item != item:
            raise KernelError(f"tally: cannot count {describe(item)}")
    if len({isinstance(item, str) for item in items}) > 1:
        raise KernelError("tally: the sequence mixes strings and numbers")
    counts = Counter(items)
    pairs: list[Value] = [[item, counts[item]] for item in sorted(counts)]  # type: ignore[type-var]  # all strings or all numbers, checked above
    return pairs


def _numbers(kernel: str, xs: Value) -> list[float]:
    items = items_of(kernel, xs)
    if not items:
        raise KernelError(f"{kernel}: the sequence is empty")
    numbers: list[float] = []
    for position, item in enumerate(items):
        if not isinstance(item, bool | int | float) or item != item:
            raise KernelError(f"{kernel}: item {position} is {describe(item)}, not a number")
        numbers.append(float(item))
    return numbers
