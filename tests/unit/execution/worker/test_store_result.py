"""Which results are stored beside goals."""

from __future__ import annotations

from voxk8s.execution.worker.store_result import is_worth_storing

MASK = 8_928_000
"""Bytes of a mask of 155x240x240 voxels."""


def test_all_and_goals_ignore_the_cost() -> None:
    """These two policies do not depend on seconds and bytes."""
    assert is_worth_storing("all", 0.0, 10**12)
    assert not is_worth_storing("goals", 10**6, 1)


def test_a_sweep_of_fast_operations_stores_nothing() -> None:
    """Computing a mask in milliseconds is faster than reading it."""
    assert not is_worth_storing("auto", 0.03, MASK)


def test_expensive_results_are_stored() -> None:
    """Half a minute is worth storing an image, a second is worth storing a number."""
    assert is_worth_storing("auto", 30.0, 36 * 10**6)
    assert is_worth_storing("auto", 1.0, 24)
