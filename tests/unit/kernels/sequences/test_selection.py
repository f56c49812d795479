"""Tests of items that are chosen by truth values or indices."""

from __future__ import annotations

import pytest

from voxk8s.errors import KernelError
from voxk8s.kernels.sequences.selection import choose, gather, keep


def test_a_truth_value_chooses_between_two_values() -> None:
    """Numbers are true if they are not zero."""
    assert (choose(True, "a", "b"), choose(0.0, "a", "b")) == ("a", "b")
    with pytest.raises(KernelError, match="choose: expected a truth value"):
        choose("a", 1, 2)


def test_flags_keep_items() -> None:
    """One flag for each item."""
    assert keep([1, "b", 3], [True, 0, 1]) == [1, 3]
    with pytest.raises(KernelError, match="a flag for each of 1 items, got 2"):
        keep([1], [True, False])


def test_indices_gather_items() -> None:
    """In the order of the indices, repeated as often as they are."""
    assert gather(["a", "b", "c"], [2.0, 0, 2]) == ["c", "a", "c"]
    with pytest.raises(KernelError, match="gather: 3 is out of range"):
        gather([1, 2, 3], [3])
