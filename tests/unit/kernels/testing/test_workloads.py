"""Tests of the kernels that take time or return mappings."""

from __future__ import annotations

import pytest

from voxk8s.errors import KernelError
from voxk8s.kernels.testing.workloads import demo_data, enqueue, fib, fibonacci, timewaste


def test_fibonacci_numbers() -> None:
    """By their index from 0; a label changes nothing."""
    assert [fibonacci(n) for n in range(8)] == [0, 1, 1, 2, 3, 5, 8, 13]
    assert fib(41, "a") == fibonacci(41.0) == 165580141
    assert fibonacci(1476) < float("inf")


@pytest.mark.parametrize("n", [-1, 2.5, 1477])
def test_indices_of_no_fibonacci_number_that_is_a_float(n: float) -> None:
    """They are refused."""
    with pytest.raises(KernelError, match="whole number from 0 to 1476"):
        fibonacci(n)


def test_the_time_that_is_wasted_gives_one_number() -> None:
    """The same at each call."""
    assert timewaste(1, 2) == timewaste(1, 2) > 0


def test_mappings() -> None:
    """With what is asked for, or with values of all kinds."""
    assert enqueue("segment", 1.0) == {"primitive": "segment", "arguments": [1.0]}
    assert {type(each) for each in demo_data().values()} == {list, dict}  # type: ignore[union-attr]
