"""What an executor is: a place that runs tasks and tells what came of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from voxk8s.execution.reports import Report
from voxk8s.execution.tasks.scheduling import DEFAULT_SCHEDULE, Schedule
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.failure import Failure


@dataclass(frozen=True, slots=True)
class Reports:
    """Operations ended or are tried again, in tasks of `run`; a report may come twice."""

    run: str
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A watched task has its value; the reports of its operations came before, as a rule."""

    key: TaskKey


@dataclass(frozen=True, slots=True)
class Lost:
    """A watched task has no value: processes were lost, or its task could not be run at all.

    `culprit` is the task that they died on, where that is known. A failure that is not transient
    would end another attempt in the same way.
    """

    key: TaskKey
    failure: Failure
    culprit: str | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """The executor itself is gone: nothing more will come of this run."""

    message: str


Message: TypeAlias = Reports | Done | Lost | Stopped
Send: TypeAlias = Callable[[Message], None]


class Session(Protocol):
    """One run on an executor. Calls come from one thread."""

    def submit(
        self,
        tasks: Mapping[TaskKey, TaskSpec],
        context: RunSpec,
        watch: Collection[TaskKey],
        schedule: Schedule = DEFAULT_SCHEDULE,
    ) -> None:
        """Start tasks (in topological order); values of watched ones are held until released.

        Tasks of earlier calls may be among them and are not run twice while their values are held.
        The schedule is a wish; an executor that knows no places or ranks passes over it.
        """

    def fetch(self, key: TaskKey) -> object:
        """Bring the value of a watched task that is done into this process."""

    def release(self, keys: Collection[TaskKey]) -> None:
        """Let values of watched tasks go."""

    def map(
        self, function: Callable[..., object], items: Sequence[tuple[object, ...]]
    ) -> list[object]:
        """Call a function of a module once per tuple of arguments, side by side; keep the order.

        A call that raises gives its exception as its value.
        """

    def check(self) -> str | None:
        """Say why nothing more can come of this run; None while all is well."""

    @property
    def salt(self) -> str:
        """What the names of tasks need beside the result, so as not to meet leftovers of others."""

    @property
    def parallelism(self) -> int:
        """How many tasks can run side by side at this moment."""

    def cancel(self) -> None:
        """Stop what has not begun; what runs may end."""

    def close(self) -> None:
        """Let everything of this run go."""


@runtime_checkable
class Executor(Protocol):
    """A place that runs tasks; safe to use for several runs at once."""

    @property
    def name(self) -> str:
        """The name it is found by."""

    @property
    def is_local(self) -> bool:
        """Whether tasks run in this very process."""

    def start(self, run: str, send: Send) -> Session:
        """Begin a run; `send` takes messages from any thread and never blocks."""
