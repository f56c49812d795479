"""Which results are stored beside goals."""

from __future__ import annotations

import pytest

from voxk8s.execution.worker import keeping
from voxk8s.execution.worker.keeping import (
    FREE_PUT_SECONDS,
    LONG_SECONDS,
    PUT_SHARE,
    STORED,
    Budget,
    Recompute,
    is_worth_storing,
    put_seconds,
)

MASK = 8_928_000
"""Bytes of a mask of 155x240x240 voxels."""


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Each test begins in a process that has computed nothing."""
    keeping._values.clear()
    keeping._budgets.clear()


def test_all_and_goals_ignore_the_cost() -> None:
    """These two policies do not depend on seconds and bytes."""
    assert is_worth_storing("all", 0.0, 10**12)
    assert not is_worth_storing("goals", 10**6, 1)


def test_a_sweep_of_fast_operations_stores_nothing() -> None:
    """Computing a mask in milliseconds is faster than reading it."""
    assert not is_worth_storing("auto", 0.03, MASK)
    assert not is_worth_storing("auto", 0.3, MASK)


def test_expensive_results_are_stored() -> None:
    """Half a minute is worth storing an image, a second is worth storing a number."""
    assert is_worth_storing("auto", 30.0, 36 * 10**6)
    assert is_worth_storing("auto", 1.0, 24)


def test_operations_below_count_until_they_are_stored() -> None:
    """A chain of half seconds adds up; above a stored value it begins anew."""
    for number in range(1, 4):
        keeping.record_computed(f"k{number}", 0.4, [f"k{number - 1}"])
    assert keeping.recompute_seconds("k3") == pytest.approx(1.2)
    keeping.record_stored("k3")
    keeping.record_computed("k4", 0.4, ["k3"])
    assert keeping.recompute_seconds("k3") == 0.0
    assert keeping.recompute_seconds("k4") == pytest.approx(0.4)


def test_what_branches_share_counts_once() -> None:
    """A value that is used twice at each of forty levels does not cost 2^40 times as much."""
    for seconds in (0.4, LONG_SECONDS / 10):
        value = STORED.followed_by("0", seconds)
        for number in range(1, 40):
            value = value.followed_by(str(number), seconds, [value])
        assert value.seconds <= 40 * seconds * 1.001


def test_the_longest_operations_below_are_remembered() -> None:
    """What is kept about a value is bounded; the long operations are most of its cost."""
    value = Recompute()
    for number in range(100):
        value = value.followed_by(str(number), 0.1 if number % 10 else 5.0)
    assert len(value.long) <= 16
    assert value.seconds >= 50.0


def test_storing_takes_a_share_of_the_time() -> None:
    """After the first seconds, a run that has computed for long may store more."""
    budget, size = Budget(), 10**6
    assert _allows(budget, size, 1e12)
    budget.stored(FREE_PUT_SECONDS, size)
    assert not _allows(budget, size, 1e12)
    budget.computed(1.01 * put_seconds(size) / PUT_SHARE)
    assert _allows(budget, size, 1e12)


def _allows(budget: Budget, size: int, most_bytes: float, known_bytes: int = 0) -> bool:
    """Whether the budget allows to store a result, which is not stored then."""
    allowed = budget.reserve(size, most_bytes, known_bytes)
    if allowed:
        budget.release(size)
    return allowed


def test_bytes_are_limited() -> None:
    """A run stores no more than it may, however much it computes."""
    budget = Budget()
    budget.computed(1e9)
    budget.stored(0.0, 600)
    assert _allows(budget, 400, 1000.0)
    assert not _allows(budget, 401, 1000.0)


def test_bytes_of_other_processes_are_limited_too() -> None:
    """As far as the driver knows them; those of this process are among them, and count once."""
    budget = Budget()
    budget.stored(0.0, 600)
    assert _allows(budget, 400, 1000.0, 600)
    assert _allows(budget, 300, 1000.0, 700)
    assert not _allows(budget, 301, 1000.0, 700)
    budget.stored(0.0, 200)
    assert _allows(budget, 100, 1000.0, 700)
    assert not _allows(budget, 101, 1000.0, 650)


def test_what_other_threads_are_about_to_store_counts() -> None:
    """All that were asked before the first of them had stored its result went over the limit."""
    budget = Budget()
    assert budget.reserve(400, 1000.0)
    assert budget.reserve(600, 1000.0)
    assert not budget.reserve(1, 1000.0)
    budget.stored(0.0, 300)
    budget.release(400)
    assert _allows(budget, 100, 1000.0)
    assert not _allows(budget, 101, 1000.0)


def test_each_run_has_its_budget() -> None:
    """Runs of one process do not use up each other's bytes."""
    keeping.budget_of("one").stored(0.0, 600)
    assert not _allows(keeping.budget_of("one"), 600, 1000.0)
    assert _allows(keeping.budget_of("two"), 600, 1000.0)


def test_what_costs_nothing_is_not_remembered() -> None:
    """Millions of additions of numbers; on a value that took long they pass on what that takes."""
    keeping.record_computed("cheap", 1e-6, ["constant"])
    assert "cheap" not in keeping._values._items
    keeping.record_computed("dear", 0.4, [])
    keeping.record_computed("above", 1e-6, ["cheap", "dear"])
    assert keeping.recompute_seconds("above") == pytest.approx(0.4, abs=1e-5)
