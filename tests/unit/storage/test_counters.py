"""Counts of what happened at a store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from voxk8s.storage.counters import Counters, Counts


def test_events_are_counted_by_name() -> None:
    """A snapshot does not change when more are counted."""
    counters = Counters()
    counters.add("hits")
    counters.add("hits")
    before = counters.snapshot()
    counters.add("misses")
    assert before == Counts(hits=2)
    assert counters.snapshot() == Counts(hits=2, misses=1)


def test_unknown_events_are_errors() -> None:
    """Only the fields of `Counts` are counted."""
    with pytest.raises(KeyError):
        Counters().add("hit")


def test_no_event_of_any_thread_is_lost() -> None:
    """Threads may add at the same time."""
    counters = Counters()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: counters.add("created"), range(2000)))
    assert counters.snapshot().created == 2000


def test_what_was_taken_is_not_taken_again() -> None:
    """Each event is taken once; the snapshot has all."""
    counters = Counters()
    assert counters.take() is None
    counters.add("bytes_read", 7)
    counters.add("requests")
    assert counters.take() == Counts(requests=1, bytes_read=7)
    assert counters.take() is None
    counters.add("bytes_read", 2)
    assert counters.take() == Counts(bytes_read=2)
    assert counters.snapshot() == Counts(requests=1, bytes_read=9)


def test_threads_that_take_get_every_event_once() -> None:
    """The sum of what several take is what happened."""
    counters = Counters()

    def add_and_take(_: int) -> Counts:
        counters.add("hits")
        return counters.take() or Counts()

    with ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(add_and_take, range(2000)), Counts())
    assert taken == counters.snapshot() == Counts(hits=2000)
