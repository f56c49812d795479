"""What is stored beside goals."""

from __future__ import annotations

from voxk8s.execution.worker.store_result import is_worth_storing

MASK = 8_928_000
"""Bytes of a mask of 155x240x240 voxels."""


def test_all_and_goals() -> None:
    """Two policies do not look at what was measured."""
    assert is_worth_storing("all", 0.0, 10**12)
    assert not is_worth_storing("goals", 10**6, 1)


def test_a_sweep_of_fast_operations_stores_nothing() -> None:
    """Milliseconds on masks are computed again sooner than they are read."""
    assert not is_worth_storing("auto", 0.03, MASK)


def test_what_took_long_is_stored() -> None:
    """Half a minute of work is kept, however large it is; so is a second for a number."""
    assert is_worth_storing("auto", 30.0, 36 * 10**6)
    assert is_worth_storing("auto", 1.0, 24)
