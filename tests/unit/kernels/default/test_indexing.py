"""Tests of the construction and indexing of sequences."""

from __future__ import annotations

import math

import pytest

from tests.support.images import call
from voxk8s.errors import KernelError
from voxk8s.values import Value


def test_range_gives_whole_numbers() -> None:
    """A range has its start and not its stop; both forms of a number are taken."""
    assert call("default.range", 1.0, 4) == [1, 2, 3]
    assert call("default.range", 3.0) == [0, 1, 2]
    assert call("default.range", 3, 1) == []


@pytest.mark.parametrize("arguments", [(1.5,), ("3",), (0, math.nan), (True,), (1e12,)])
def test_range_of_anything_else_is_an_error(arguments: tuple[Value, ...]) -> None:
    """Fractions, strings and numbers beyond reason are refused."""
    with pytest.raises(KernelError, match="range"):
        call("default.range", *arguments)


def test_items_and_slices() -> None:
    """Items count from 0, a subsequence has n items."""
    xs = call("default.sequence", 1.0, "b", [2])
    assert xs == [1.0, "b", [2]]
    assert call("default.index", xs, 1.0) == "b"
    assert call("default.subsequence", xs, 1, 2) == ["b", [2]]
    assert call("default.subsequence", xs, 3, 0) == []
    assert call("default.sequence") == []


@pytest.mark.parametrize("position", [-1, 3, 0.5])
def test_index_out_of_range_is_an_error(position: float) -> None:
    """There is no item below 0 or beyond the end, nor between two."""
    with pytest.raises(KernelError, match="index"):
        call("default.index", [1, 2, 3], position)


@pytest.mark.parametrize("arguments", [(-1, 1), (2, 2), (0, -1)])
def test_subsequence_out_of_range_is_an_error(arguments: tuple[int, int]) -> None:
    """A slice must lie within the sequence."""
    with pytest.raises(KernelError, match="out of range"):
        call("default.subsequence", [1, 2, 3], *arguments)


def test_a_mapping_is_indexed_by_names() -> None:
    """Metrics and rows of tables are mappings; a wrong name is answered by those that exist."""
    assert call("default.index", {"dice": 0.5}, "dice") == 0.5
    for wrong in ("iou", 0):
        with pytest.raises(KernelError, match="expected one of the names dice, got"):
            call("default.index", {"dice": 0.5}, wrong)


def test_a_subsequence_may_have_no_end() -> None:
    """It goes on to the last item; beyond that it is empty."""
    assert call("default.subsequence", [1, 2, 3], 1) == [2, 3]
    assert call("default.subsequence", [1], 5) == []
    with pytest.raises(KernelError, match="out of range"):
        call("default.subsequence", [1], -1)
