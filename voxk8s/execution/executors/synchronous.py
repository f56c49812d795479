"""The synchronous executor: runs tasks one after the other in the calling thread, without Dask."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from voxk8s.execution.executors.protocol import Reports, Send, TaskDone
from voxk8s.execution.operation_reports import Report
from voxk8s.execution.tasks.scheduling import NO_RANKS, Ranks
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.run_task import run_task
from voxk8s.execution.worker.task_context import RunSpec


class SynchronousExecutor:
    """For debugging, and for tests of the code around an executor."""

    name = "synchronous"
    is_local = True

    def start(self, run: str, send: Send) -> SynchronousSession:
        """Start a run in the calling thread."""
        return SynchronousSession(run, send)


class SynchronousSession:
    """Holds values until they are released."""

    def __init__(self, run: str, send: Send) -> None:
        self._run = run
        self._send = send
        self._values: dict[TaskKey, object] = {}
        self._cancelled = False
        runtime.subscribe(run, self._receive)

    def submit(self, tasks: Sequence[TaskSpec], run: RunSpec, _: Ranks = NO_RANKS) -> None:
        """Run the tasks at once, in their order."""
        for task in tasks:
            if self._cancelled:
                return
            upstream = [self._values[dependency] for dependency in task.dependencies]
            self._values[task.key] = run_task(task, run, *upstream)
            self._send(TaskDone(task.key))

    def fetch(self, key: TaskKey) -> object:
        """Return the value."""
        return self._values[key]

    def release(self, keys: Collection[TaskKey]) -> None:
        """Release the values."""
        for key in keys:
            self._values.pop(key, None)

    def map(
        self, function: Callable[..., object], items: Sequence[tuple[object, ...]]
    ) -> list[object]:
        """Call the function once per tuple, one after the other."""
        results: list[object] = []
        for arguments in items:
            try:
                results.append(function(*arguments))
            except Exception as error:  # noqa: BLE001  # returned as a value
                results.append(error)
        return results

    def check(self) -> str | None:
        """Return None: this process is alive."""
        return None

    def stalled(self, _: Collection[TaskKey]) -> list[TaskKey]:
        """Return nothing: no task is left when the run waits."""
        return []

    @property
    def salt(self) -> str:
        """Empty: no other run shares the tasks."""
        return ""

    @property
    def parallelism(self) -> int:
        """One: the calling thread."""
        return 1

    def cancel(self) -> None:
        """Stop before the next task."""
        self._cancelled = True
        runtime.cancel_run(self._run)

    def close(self) -> None:
        """Release everything."""
        runtime.forget_run(self._run)
        self._values.clear()

    def _receive(self, run: str, reports: Iterable[Report]) -> None:
        self._send(Reports(run, tuple(reports)))
