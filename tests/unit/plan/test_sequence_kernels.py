"""Kernels of sequences that are evaluated in a plan."""

from __future__ import annotations

import pytest

from voxk8s.plan.model import Scalar
from voxk8s.plan.sequence_kernels import as_integer, range_bounds


@pytest.mark.parametrize(
    ("value", "integer"), [(3, 3), (3.0, 3), (3.5, None), (True, None), ("3", None), (None, None)]
)
def test_only_whole_numbers_are_integers(value: Scalar | None, integer: int | None) -> None:
    """A bool or a string is not a number."""
    assert as_integer(value) == integer


def test_bounds_of_ranges() -> None:
    """One argument is the end; other numbers of arguments are left to the kernel."""
    assert range_bounds([4]) == (0, 4)
    assert range_bounds([2.0, 4]) == (2, 4)
    assert [range_bounds(each) for each in ([], [1.5], [None], [1, 2, 3])] == [None] * 4
