"""The task keys of a run, depending on what a scripted cluster is running."""

from __future__ import annotations

import pytest

from voxk8s.execution.executors.dask_session import DaskSession


class Cluster:
    """A client whose workers run, call by call, what the script says."""

    def __init__(self, at_work: list[set[str]], wanted: list[set[str]]) -> None:
        self._at_work, self._wanted = at_work, wanted
        self.asked = 0

    def scheduler_info(self, n_workers: int) -> dict[str, object]:
        """Return two workers."""
        self.asked += 1
        return {"workers": {"a": {"nthreads": 2}, "b": {"nthreads": 3}}}

    def subscribe_topic(self, topic: str, handler: object) -> None:
        """Ignore the subscription."""

    def call_stack(self) -> dict[str, dict[str, object]]:
        """Return the tasks that workers run."""
        return {"worker": dict.fromkeys(self._at_work.pop(0))}

    def processing(self) -> dict[str, list[str]]:
        """Return the tasks that the scheduler has assigned."""
        return {"worker": list(self._wanted.pop(0))}


@pytest.mark.parametrize(
    ("at_work", "wanted", "shared"),
    [
        ([set()], [set()], True),
        ([{"a"}], [{"a", "b"}], True),
        ([{"a"}, {"b"}], [set(), {"b"}], True),
        ([{"a"}, {"a"}], [set(), set()], False),
    ],
    ids=["idle", "busy", "ended between two calls", "left behind"],
)
def test_keys_are_shared_unless_tasks_were_left_behind(
    at_work: list[set[str]], wanted: list[set[str]], shared: bool
) -> None:
    """A run gets keys of its own only while workers run tasks that no client wants any more."""
    client = Cluster(at_work, wanted)
    session = DaskSession(client, "run-of-a-name", lambda _: None, local=False)  # type: ignore[arg-type]
    assert session.salt == ("" if shared else "run-of-a-nam")


def test_the_number_of_threads_is_cached() -> None:
    """Progress is reported many times a second; the scheduler is not asked as often."""
    client = Cluster([set()], [set()])
    session = DaskSession(client, "run", lambda _: None, local=False)  # type: ignore[arg-type]
    assert [session.parallelism for _ in range(50)] == [5] * 50
    assert client.asked == 1
