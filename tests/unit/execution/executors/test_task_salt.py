"""The salt of a run's task keys, depending on what a scripted cluster is running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from voxk8s.execution.executors.task_salt import task_salt

NAME = "run-of-a-name"


class Cluster:
    """A client and its scheduler; its workers run, question by question, what the script says."""

    def __init__(self, at_work: list[set[str]], wanted: list[set[str]]) -> None:
        self._at_work, self._wanted = at_work, wanted
        self.scheduler = self

    def sync(self, question: Callable[..., Any], callback_timeout: float, **details: Any) -> Any:
        """Return the answer."""
        return question(**details)

    def call_stack(self, keys: None) -> dict[str, dict[str, object]]:
        """Return the tasks that workers run."""
        if not self._at_work:
            raise TimeoutError
        return {"worker": dict.fromkeys(self._at_work.pop(0))}

    def processing(self, workers: None) -> dict[str, list[str]]:
        """Return the tasks that the scheduler has assigned."""
        return {"worker": list(self._wanted.pop(0))}


@pytest.mark.parametrize(
    ("at_work", "wanted", "shared"),
    [
        ([set()], [set()], True),
        ([{"a"}], [{"a", "b"}], True),
        ([{"a"}, {"b"}], [set(), {"b"}], True),
        ([{"a"}, {"a"}], [set(), set()], False),
        ([], [], False),
    ],
    ids=["idle", "busy", "ended between two calls", "left behind", "a worker does not answer"],
)
def test_keys_are_shared_unless_tasks_were_left_behind(
    at_work: list[set[str]], wanted: list[set[str]], shared: bool
) -> None:
    """A run gets keys of its own only while workers run tasks that no client wants any more."""
    client: Any = Cluster(at_work, wanted)
    assert task_salt(client, NAME, local=False) == ("" if shared else NAME[:12])
