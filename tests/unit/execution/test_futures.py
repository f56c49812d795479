"""The table of futures."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from voxk8s.execution import get_operation_future, set_operation_future
from voxk8s.execution.futures import LazyFuture, drop_operation_future


def test_the_first_future_wins() -> None:
    """A second registration says False and changes nothing."""
    first: Future[int] = Future()
    assert get_operation_future("table-1") is None
    assert set_operation_future("table-1", first)
    assert not set_operation_future("table-1", Future())
    assert not set_operation_future("table-1", first)
    assert get_operation_future("table-1") is first
    drop_operation_future("table-1", first)


def test_only_the_registered_future_can_be_dropped() -> None:
    """A run that did not register an operation cannot take it out of the table."""
    future: Future[int] = Future()
    set_operation_future("table-2", future)
    drop_operation_future("table-2", Future())
    assert get_operation_future("table-2") is future
    drop_operation_future("table-2", future)
    assert get_operation_future("table-2") is None


def test_threads_agree_on_one() -> None:
    """Of many threads that register at once exactly one succeeds."""
    futures = [Future[int]() for _ in range(64)]
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda future: set_operation_future("table-3", future), futures))
    assert sum(won) == 1
    drop_operation_future("table-3", futures[won.index(True)])


def test_values_are_brought_when_they_are_asked_for() -> None:
    """The end of an operation moves no value; each question brings it, and none is kept."""
    brought: list[int] = []

    def bring() -> int:
        brought.append(1)
        return 7

    future = LazyFuture()
    future.set_loader(bring)
    assert future.done()
    assert not brought
    assert (future.result(), future.result()) == (7, 7)
    assert len(brought) == 2
