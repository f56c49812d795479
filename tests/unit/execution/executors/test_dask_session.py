"""What a session knows of its cluster, which may not answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from voxk8s.errors import WorkerLost
from voxk8s.execution.executors.dask_session import FROZEN_SECONDS, DaskSession
from voxk8s.execution.tasks.task import TaskKey


class Cluster:
    """A client and its scheduler, which answers as long as the test wants it to."""

    status = "running"

    def __init__(self) -> None:
        self.scheduler = self
        self.asked = 0
        self.is_frozen = False

    def sync(self, question: Callable[..., Any], callback_timeout: float, **details: Any) -> Any:
        """Return the answer."""
        if self.is_frozen:
            raise TimeoutError
        return question(**details)

    def subscribe_topic(self, topic: str, handler: object) -> None:
        """Ignore the subscription."""

    def call_stack(self, keys: None) -> dict[str, list[str]]:
        """Return that nothing is running."""
        return {}

    def processing(self, workers: None) -> dict[str, list[str]]:
        """Return that nothing is assigned."""
        return {}

    def identity(self, n_workers: int) -> dict[str, object]:
        """Return two workers."""
        self.asked += 1
        return {"workers": {"a": {"nthreads": 2}, "b": {"nthreads": 3}}}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock of sessions."""
    now = [1000.0]
    monkeypatch.setattr("voxk8s.execution.executors.dask_session.time.monotonic", lambda: now[0])
    return now


def _session(cluster: Cluster) -> DaskSession:
    client: Any = cluster
    return DaskSession(client, "run", lambda _: None, local=False)


def test_the_number_of_threads_is_cached() -> None:
    """Progress is reported many times a second; the scheduler is not asked as often."""
    cluster = Cluster()
    session = _session(cluster)
    assert [session.parallelism for _ in range(50)] == [5] * 50
    assert cluster.asked == 1


def test_a_value_that_a_cancelled_run_does_not_hold_is_lost() -> None:
    """Cancelling releases what has not ended, which may be a value that its worker had lost."""
    with pytest.raises(WorkerLost, match="not held any more"):
        _session(Cluster()).fetch(TaskKey("x"))


def test_a_scheduler_that_is_connected_and_silent_ends_the_run(clock: list[float]) -> None:
    """Not at once, nor when it answers again; the number of threads stays what it was."""
    cluster = Cluster()
    session = _session(cluster)
    assert session.parallelism == 5
    for frozen, seconds, reason in [
        (True, 3, None),
        (True, FROZEN_SECONDS - 10, None),
        (False, 20, None),
        (True, FROZEN_SECONDS - 10, None),
        (True, 20, None),
        (True, FROZEN_SECONDS, "has not answered for 300 seconds"),
    ]:
        cluster.is_frozen = frozen
        clock[0] += seconds
        assert session.parallelism == 5
        found = session.check()
        assert (reason in found) if reason and found else found is reason
