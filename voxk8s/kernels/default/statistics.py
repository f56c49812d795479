"""Statistics of sequences of numbers.

An empty sequence, an item that is no number and NaN are a KernelError, as is what infinities leave
undefined. Sums are exact to the last bit of float64 (`math.fsum`) and do not overflow, so neither
the order nor the size of the numbers matters.
"""

from __future__ import annotations

import math
from collections import Counter

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.default.sequences import items_of
from voxk8s.kernels.images import number
from voxk8s.values import Value


def mean(xs: Value) -> Value:
    """Give the arithmetic mean."""
    return _mean("mean", _numbers("mean", xs))


def median(xs: Value) -> Value:
    """Give the middle item in order; of an even number the mean of the two middle ones."""
    numbers = sorted(_numbers("median", xs))
    middle = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[middle]
    return _mean("median", numbers[middle - 1 : middle + 1])


def stdev(xs: Value) -> Value:
    """Give the standard deviation of a sample (divisor n - 1); 0 for one item.

    KernelError when an item is infinite, or the deviation beyond float64.
    """
    numbers = _numbers("stdev", xs)
    if len(numbers) < 2:
        return 0.0
    if not all(map(math.isfinite, numbers)):
        raise KernelError("stdev: there are infinite items")
    # By powers of two, which is exact: squares neither overflow nor vanish.
    scale = math.frexp(max(map(abs, numbers)))[1] + 1
    small = [math.ldexp(number, -scale) for number in numbers]
    centre = math.fsum(small) / len(small)
    apart = [number - centre for number in small]
    rescale = math.frexp(max(map(abs, apart)))[1]
    squares = math.fsum(math.ldexp(number, -rescale) ** 2 for number in apart)
    try:
        return math.ldexp(math.sqrt(squares / (len(numbers) - 1)), scale + rescale)
    except OverflowError as error:
        raise KernelError("stdev: the result is too large a number") from error


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


def _mean(kernel: str, numbers: list[float]) -> float:
    try:
        return math.fsum(numbers) / len(numbers)
    except ValueError as error:
        raise KernelError(f"{kernel}: there are infinities of both signs") from error
    except OverflowError:
        # The sum is beyond float64, the mean is not; a power of two takes nothing from the digits.
        return math.fsum(math.ldexp(each, -64) for each in numbers) / len(numbers) * 2.0**64


def _numbers(kernel: str, xs: Value) -> list[float]:
    items = items_of(kernel, xs)
    if not items:
        raise KernelError(f"{kernel}: the sequence is empty")
    numbers: list[float] = []
    for position, item in enumerate(items):
        if not isinstance(item, bool | int | float) or item != item:
            raise KernelError(f"{kernel}: item {position} is {describe(item)}, not a number")
        numbers.append(number(kernel, item))
    return numbers
