"""Tests of sums, lengths and combinations of sequences."""

from __future__ import annotations

import math

import pytest

from voxk8s.errors import KernelError
from voxk8s.kernels.sequences.combination import combine, length, parameter_grid, sum_


def test_the_sum_is_rounded_once() -> None:
    """It depends neither on the order nor on the magnitude of the numbers."""
    assert sum_([1e100, 1.0, -1e100]) == 1.0
    assert (sum_([]), sum_([True, 2])) == (0.0, 3.0)
    with pytest.raises(KernelError, match=r"sum: expected numbers, got .* as item 1"):
        sum_([1, "a"])
    with pytest.raises(KernelError, match="infinities of both signs"):
        sum_([math.inf, -math.inf])


def test_combine_pairs_the_items_of_sequences() -> None:
    """They must have one length."""
    assert combine([1, 2], ["a", "b"]) == [[1, "a"], [2, "b"]]
    with pytest.raises(KernelError, match=r"sequences of one length, got lengths \[1, 2\]"):
        combine([1], [1, 2])


def test_a_grid_has_every_combination() -> None:
    """The last sequence varies fastest."""
    assert parameter_grid([1, 2], ["a", "b"]) == [[1, "a"], [1, "b"], [2, "a"], [2, "b"]]
    assert length(parameter_grid([1, 2, 3], [4, 5])) == 6
    with pytest.raises(KernelError, match="at most 1000000 combinations"):
        parameter_grid(list(range(2000)), list(range(2000)))
