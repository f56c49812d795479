"""What the driver's process does at a store for a run."""

from __future__ import annotations

from tests.support.plans_and_runs import fresh_store
from voxk8s.execution.run.driver_counts import driver_counts
from voxk8s.storage import Counts

KEY = "0" * 64


def test_only_what_happens_in_the_body_is_counted() -> None:
    """Not what happened before or between two runs."""
    store = fresh_store()
    store.get(KEY)
    with driver_counts(store) as counts:
        store.get(KEY)
        assert counts().misses == 1
        assert counts() == Counts()
    store.get(KEY)
    with driver_counts(store) as counts:
        assert counts() == Counts()


def test_runs_at_the_same_time_count_each_event_once() -> None:
    """The one that begins later does not drop what the other has done."""
    store = fresh_store()
    with driver_counts(store) as first:
        store.get(KEY)
        with driver_counts(store) as second:
            store.get(KEY)
            assert first().misses + second().misses == 2
