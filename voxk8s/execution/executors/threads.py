"""The executor on threads of this process, without Dask: it starts in no time."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Collection, Iterable, Sequence

from voxk8s.execution.executors.protocol import Message, Reports, Send, TaskDone
from voxk8s.execution.executors.task_pool import PooledTask, State, TaskPool, shared_pool
from voxk8s.execution.operation_reports import Report
from voxk8s.execution.tasks.scheduling import NO_RANKS, Ranks
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.preload import preload
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.settings import Settings


class ThreadsExecutor:
    """Runs tasks on threads that all runs of this process share.

    There are as many as VOXLOGICA_DASK_THREADS says (4), which is read when a run starts.
    """

    name = "threads"
    is_local = True

    def __init__(self, pool: TaskPool | None = None) -> None:
        """Use the pool of this process, or the given one."""
        self._pool = pool or shared_pool

    def start(self, run: str, send: Send) -> ThreadsSession:
        """Start a run; no thread is started before there is a task."""
        self._pool.threads.resize(Settings.from_env(os.environ).dask_threads)
        return ThreadsSession(self._pool, run, send)


class ThreadsSession:
    """One run: the tasks that it holds."""

    def __init__(self, pool: TaskPool, run: str, send: Send) -> None:
        self._pool = pool
        self._run = run
        self._send = send
        self._held: dict[TaskKey, PooledTask] = {}
        self._generation = pool.threads.generation
        self.ended = False
        self._has_tasks = False
        runtime.subscribe(run, self._receive)

    def submit(self, tasks: Sequence[TaskSpec], run: RunSpec, ranks: Ranks = NO_RANKS) -> None:
        """Start tasks, or take part in those that other runs have started."""
        if not self._is_here or self.ended:
            return
        if not self._has_tasks:
            self._has_tasks = True
            preload(tasks)
        self._pool.submit(self, ((task, ranks.get(task.key)) for task in tasks), run, self._held)

    def fetch(self, key: TaskKey) -> object:
        """Return the value."""
        return self._held[key].value

    def release(self, keys: Collection[TaskKey]) -> None:
        """Free values that neither another run nor a task that has not run needs."""
        if self._is_here:
            self._pool.release(self, keys, self._held)

    def map(
        self, function: Callable[..., object], items: Sequence[tuple[object, ...]]
    ) -> list[object]:
        """Call the function for each tuple on the threads, before tasks that wait for one."""
        if len(items) == 1:
            try:
                return [function(*items[0])]
            except Exception as error:  # noqa: BLE001  # returned as a value
                return [error]
        calls = [_Call(function, arguments) for arguments in items]
        threads = self._pool.threads
        with threads.lock:
            for call in calls:
                threads.add(call, -math.inf)
            threads.start_ready()
        try:
            for call in calls:
                call.ended.wait()
        finally:
            for call in calls:
                call.dropped = True
        return [call.result for call in calls]

    def check(self) -> str | None:
        """Return why no message will come; None in the process that has the threads."""
        return (
            None if self._is_here else "this process was forked from the one that has the threads"
        )

    def stalled(self, keys: Collection[TaskKey]) -> list[TaskKey]:
        """Return the tasks that the threads do not have, or that have ended without a value."""
        found = []
        for key in keys:
            task = self._held.get(key)
            if task is None or task.state is State.LOST:
                found.append(key)
            elif task.state is State.DONE:
                self._send(TaskDone(key))
        return found

    @property
    def salt(self) -> str:
        """Empty: what a run abandons does not disturb others."""
        return ""

    @property
    def parallelism(self) -> int:
        """The number of threads."""
        return self._pool.threads.limit

    def cancel(self) -> None:
        """Release what has not ended; what only this run needs stops before its next operation."""
        self.ended = True
        self.release([key for key, task in self._held.items() if task.state is not State.DONE])

    def close(self) -> None:
        """Release everything."""
        self.ended = True
        runtime.forget_run(self._run)
        self.release(list(self._held))

    def notify(self, message: Message) -> None:
        """Pass a message of the pool on to the run."""
        self._send(message)

    @property
    def _is_here(self) -> bool:
        return self._generation == self._pool.threads.generation

    def _receive(self, run: str, reports: Iterable[Report]) -> None:
        self._send(Reports(run, tuple(reports)))


class _Call:
    """A call of a function as a job."""

    def __init__(self, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self._function = function
        self._arguments = arguments
        self.result: object = None
        self.ended = threading.Event()
        self.dropped = False

    def run(self) -> None:
        """Keep the result, or the exception."""
        try:
            self.result = self._function(*self._arguments)
        except BaseException as error:  # noqa: BLE001  # returned as a value; the thread goes on
            self.result = error
        self.ended.set()
