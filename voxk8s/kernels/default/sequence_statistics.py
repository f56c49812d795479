"""Statistics of sequences of numbers.

KernelError for an empty sequence, an item that is not a number, NaN, and results that infinities
leave undefined. Sums are rounded correctly to float64 (`math.fsum`) and do not overflow, so results
depend neither on the order nor on the magnitude of the numbers.
"""

from __future__ import annotations

import math
from collections import Counter

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_numbers, require_sequence
from voxk8s.values import Value


def mean(xs: Value) -> Value:
    """Return the arithmetic mean."""
    return _mean("mean", require_numbers("mean", xs))


def median(xs: Value) -> Value:
    """Return the median: the middle item in order, or the mean of the two middle items."""
    numbers = sorted(require_numbers("median", xs))
    middle = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[middle]
    return _mean("median", numbers[middle - 1 : middle + 1])


def stdev(xs: Value) -> Value:
    """Return the standard deviation of a sample (divisor n - 1); 0 for one item.

    KernelError if an item is infinite or the result is out of the range of float64.
    """
    numbers = require_numbers("stdev", xs)
    if len(numbers) < 2:
        return 0.0
    if not all(map(math.isfinite, numbers)):
        raise KernelError("stdev: expected finite items, got infinity")
    # Scaling by powers of two is exact; squares neither overflow nor underflow.
    scale = math.frexp(max(map(abs, numbers)))[1] + 1
    scaled = [math.ldexp(number, -scale) for number in numbers]
    centre = math.fsum(scaled) / len(scaled)
    deviations = [number - centre for number in scaled]
    rescale = math.frexp(max(map(abs, deviations)))[1]
    squares = math.fsum(math.ldexp(number, -rescale) ** 2 for number in deviations)
    try:
        return math.ldexp(math.sqrt(squares / (len(numbers) - 1)), scale + rescale)
    except OverflowError as error:
        raise KernelError("stdev: the result is too large for float64") from error


def argmax(xs: Value) -> Value:
    """Return the index of the largest item, the first one on a tie."""
    numbers = require_numbers("argmax", xs)
    return numbers.index(max(numbers))


def argsort(xs: Value) -> Value:
    """Return the indices that sort the items in ascending order; the sort is stable."""
    numbers = require_numbers("argsort", xs)
    order: list[int] = sorted(range(len(numbers)), key=lambda position: numbers[position])
    return [*order]


def tally(xs: Value) -> Value:
    """Return `[item, count]` for each distinct item, in ascending order.

    Items are strings, or numbers and truth values. Numbers that are equal are one item, in the type
    of the first one. The result for an empty sequence is empty.
    """
    items = require_sequence("tally", xs)
    for item in items:
        if not isinstance(item, bool | int | float | str) or item != item:
            raise KernelError(
                f"tally: expected numbers, strings or truth values, got {describe(item)}"
            )
    if len({isinstance(item, str) for item in items}) > 1:
        raise KernelError("tally: expected either strings or numbers, got both")
    counts = Counter(items)
    pairs: list[Value] = [[item, counts[item]] for item in sorted(counts)]  # type: ignore[type-var]  # all strings or all numbers, checked above
    return pairs


def _mean(kernel: str, numbers: list[float]) -> float:
    try:
        return math.fsum(numbers) / len(numbers)
    except ValueError as error:
        raise KernelError(
            f"{kernel}: expected finite items, got infinities of both signs"
        ) from error
    except OverflowError:
        # The sum overflows, the mean does not; scaling by a power of two is exact.
        return math.fsum(math.ldexp(each, -64) for each in numbers) / len(numbers) * 2.0**64
