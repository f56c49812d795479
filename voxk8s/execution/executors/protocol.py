"""The interface of executors, which run tasks, and the messages that they send to a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from voxk8s.execution.operation_reports import Report
from voxk8s.execution.tasks.scheduling import NO_RANKS, Ranks
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.failure import Failure
from voxk8s.storage import Counts


@dataclass(frozen=True, slots=True)
class Reports:
    """Operations of `run` ended or will be retried; a report may be sent twice.

    `counts` is what another process did at the run's store; it is sent once.
    """

    run: str
    reports: tuple[Report, ...]
    counts: Counts | None = None


@dataclass(frozen=True, slots=True)
class TaskDone:
    """A task has its value.

    The reports of its operations come before, unless it had ended before this run submitted it.
    """

    key: TaskKey


@dataclass(frozen=True, slots=True)
class TaskLost:
    """A task has no value: processes died, or it could not be run at all.

    `culprit` is the task during which the processes died, if that is known. Another attempt would
    end with the same failure unless it is transient.
    """

    key: TaskKey
    failure: Failure
    culprit: str | None = None


@dataclass(frozen=True, slots=True)
class ExecutorStopped:
    """The executor is gone: no further messages will come."""

    message: str


Message: TypeAlias = Reports | TaskDone | TaskLost | ExecutorStopped
Send: TypeAlias = Callable[[Message], None]


class RunCancelled(Exception):
    """The run was cancelled while it waited for a session."""


class Session(Protocol):
    """One run on an executor. Calls come from one thread."""

    def submit(self, tasks: Sequence[TaskSpec], run: RunSpec, ranks: Ranks = NO_RANKS) -> None:
        """Start tasks, given in topological order, and hold each value until it is released.

        A task may depend on tasks of earlier calls that are not released. TaskDone or TaskLost
        follows for each.
        """

    def fetch(self, key: TaskKey) -> object:
        """Return the value of a task that is done and not released.

        Raises WorkerLost if it is not there any more, SchedulerLost if nothing is.
        """

    def release(self, keys: Collection[TaskKey]) -> None:
        """Release values; tasks that are submitted and depend on them keep them until they end.

        A task that has not started, and on which no other depends, does not run any more.
        """

    def map(
        self, function: Callable[..., object], items: Sequence[tuple[object, ...]]
    ) -> list[object]:
        """Return the values of an importable function for each tuple of arguments, in order.

        The calls run in parallel; a call that raises has its exception as its value. May raise
        SchedulerLost, and RunCancelled once the run is cancelled.
        """

    def check(self) -> str | None:
        """Return why the run cannot continue; None if it can."""

    def stalled(self, keys: Collection[TaskKey]) -> list[TaskKey]:
        """Return those of the tasks that will never end, because they or a message were lost.

        `keys` are tasks of whose end the run has not heard; messages that are due are sent again.
        """

    @property
    def salt(self) -> str:
        """Part of the task keys; not empty while the executor runs abandoned tasks."""

    @property
    def parallelism(self) -> int:
        """How many tasks can run in parallel at this moment."""

    def cancel(self) -> None:
        """Cancel tasks that have not started; running ones may finish."""

    def close(self) -> None:
        """Release everything that the run holds."""


@runtime_checkable
class Executor(Protocol):
    """Runs tasks; safe to use for several runs at once."""

    @property
    def name(self) -> str:
        """The name of its entry point."""

    @property
    def is_local(self) -> bool:
        """Whether tasks run in this process."""

    def start(self, run: str, send: Send) -> Session:
        """Start a run; `send` takes messages from any thread and does not block."""
