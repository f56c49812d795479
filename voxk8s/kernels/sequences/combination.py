"""Sums and lengths of sequences, and sequences made of several."""

from __future__ import annotations

import math
from itertools import product
from typing import Final

from voxk8s.describe import describe
from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_sequence
from voxk8s.values import Value

LARGEST_GRID: Final = 1_000_000


def length(xs: Value) -> Value:
    """Return the number of items."""
    return len(require_sequence("length", xs))


def sum_(xs: Value) -> Value:
    """Return the sum of numbers and truth values, rounded once (`math.fsum`); 0 if there are none.

    KernelError for other items, and for infinities of both signs.
    """
    numbers: list[float] = []
    for position, item in enumerate(require_sequence("sum", xs)):
        if not isinstance(item, bool | int | float):
            raise KernelError(f"sum: expected numbers, got {describe(item)} as item {position}")
        numbers.append(float(item))
    try:
        return math.fsum(numbers)
    except ValueError as error:
        raise KernelError("sum: expected no infinities of both signs") from error
    except OverflowError as error:
        raise KernelError("sum: the result is too large for float64") from error


def combine(*sequences: Value) -> Value:
    """Return `[[a0, b0, …], [a1, b1, …], …]`; KernelError for sequences of different length."""
    given = [require_sequence("combine", each) for each in sequences]
    lengths = sorted({len(items) for items in given})
    if len(lengths) > 1:
        raise KernelError(f"combine: expected sequences of one length, got lengths {lengths}")
    return [list(items) for items in zip(*given, strict=True)]


def parameter_grid(*sequences: Value) -> Value:
    """Return every `[a, b, …]` with one item of each sequence; the last one varies fastest.

    KernelError for more than 1,000,000 combinations.
    """
    given = [require_sequence("parameter_grid", each) for each in sequences]
    count = math.prod(map(len, given))
    if count > LARGEST_GRID:
        raise KernelError(
            f"parameter_grid: expected at most {LARGEST_GRID} combinations, got {count}"
        )
    return [list(items) for items in product(*given)]
