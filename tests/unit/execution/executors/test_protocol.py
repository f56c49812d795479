"""The interface of executors: which objects are executors, and the messages to a run.

What a session must do is in `tests/contract/executors`.
"""

from __future__ import annotations

import pytest

from voxk8s.errors import WorkerLost
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.protocol import Executor, Message, Reports, TaskDone, TaskLost
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.failure import failure_of

TASK = TaskKey("a" * 64)
LOST = failure_of(WorkerLost("died"))


@pytest.mark.parametrize("name", ["local", "synchronous"])
def test_our_executors_are_executors(name: str) -> None:
    """They have the name of their entry point and run tasks in this process."""
    executor = find_executor(name)
    assert isinstance(executor, Executor)
    assert (executor.name, executor.is_local) == (name, True)


@pytest.mark.parametrize("missing", ["name", "is_local", "start"])
def test_an_object_that_lacks_a_part_is_not_an_executor(missing: str) -> None:
    """Engines check this before they run anything."""
    parts = {"name": "mine", "is_local": True, "start": lambda *_: None}
    assert isinstance(type("Mine", (), parts)(), Executor)
    del parts[missing]
    assert not isinstance(type("Mine", (), parts)(), Executor)


@pytest.mark.parametrize(
    ("message", "other"),
    [
        (Reports("run", (Report("k", Status.COMPUTED),)), Reports("run", ())),
        (TaskDone(TASK), TaskDone(TaskKey("b" * 64))),
        (TaskLost(TASK, LOST), TaskLost(TASK, LOST, culprit=TASK)),
    ],
)
def test_messages_are_values(message: Message, other: Message) -> None:
    """A lost task has no culprit unless one is known."""
    assert len({message, other, other}) == 2
