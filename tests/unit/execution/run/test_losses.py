"""The losses of a run: each counts once."""

from __future__ import annotations

from voxk8s.execution.run.losses import MANY_LOSSES, MAX_RECOMPUTATIONS, MAX_WORKER_LOSSES, Losses
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.plan import ResultKey

KEY = ResultKey("a" * 64)


def test_a_vanished_result_counts_once_until_it_is_computed() -> None:
    """Twenty goals above it report the same loss."""
    losses = Losses()
    for _ in range(20):
        losses.result_vanished(KEY)
    assert losses.is_missing(KEY)
    losses.result_computed(KEY)
    assert not losses.is_missing(KEY)
    assert not losses.is_unreliable(KEY)


def test_a_result_that_is_lost_again_and_again_is_unreliable() -> None:
    """It is then passed on from where it was computed."""
    losses = Losses()
    for _ in range(MAX_RECOMPUTATIONS):
        assert not losses.is_unreliable(KEY)
        losses.result_vanished(KEY)
        losses.result_computed(KEY)
    assert losses.is_unreliable(KEY)


def test_the_death_of_a_worker_counts_once() -> None:
    """Each task that depends on the lost one reports it."""
    losses = Losses()
    for _ in range(20):
        assert losses.workers_died(TaskKey("first"), KEY)
    assert losses.is_counted(TaskKey("first"))
    assert not losses.suspects


def test_a_task_that_kills_workers_runs_alone_and_is_given_up_then() -> None:
    """Its operations are the same under another task key."""
    losses = Losses()
    for number in range(MAX_WORKER_LOSSES):
        assert losses.workers_died(TaskKey(f"attempt {number}"), KEY)
    assert losses.suspects == {KEY}
    assert not losses.workers_died(TaskKey("last"), KEY)


def test_a_store_that_loses_all_the_time_is_not_trusted_with_what_it_loses() -> None:
    """Many results that vanish once, as in a collection of garbage, are no sign of that."""
    losses = Losses()

    def lose(*names: str) -> None:
        for name in names:
            losses.result_vanished(ResultKey(name))
            losses.result_computed(ResultKey(name))

    many = [f"r{number}" for number in range(MANY_LOSSES)]
    lose(*many)
    assert not any(losses.is_unreliable(ResultKey(name)) for name in many)
    lose(*many, "late")
    assert [losses.is_unreliable(ResultKey(name)) for name in (many[0], many[-1], "late")] == [
        False,
        True,
        True,
    ]
