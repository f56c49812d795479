"""A session on a Dask client, for both Dask executors."""

from __future__ import annotations

import logging
import math
import threading
import time
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any, Final

import dask
from dask.base import annotate
from distributed import Client, KilledWorker
from distributed.client import Future as DaskFuture
from distributed.client import FutureCancelledError as DaskCancelledError
from msgspec.structs import replace

from voxk8s.constants import ENV_DASK_MEMORY
from voxk8s.errors import SchedulerLost, WorkerLost
from voxk8s.execution.executors.dask_graph import annotations_for, build_graph
from voxk8s.execution.executors.offered_resources import needed_resources, refuse_unoffered
from voxk8s.execution.executors.protocol import (
    ExecutorStopped,
    Reports,
    RunCancelled,
    Send,
    TaskDone,
    TaskLost,
)
from voxk8s.execution.executors.scheduler_questions import NO_ANSWER, workers
from voxk8s.execution.executors.stalled_tasks import stalled_tasks
from voxk8s.execution.executors.task_salt import abandon_tasks, task_salt
from voxk8s.execution.executors.value_wait import killed_text, wait_for_value
from voxk8s.execution.operation_reports import Report, decode_batch
from voxk8s.execution.tasks.scheduling import NO_RANKS, Ranks
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.failure import failure_of

RECONNECT_SECONDS = 10.0
"""A run fails when its client has had no connection to the scheduler for so long."""
FROZEN_SECONDS = 300.0
"""And when a scheduler to which there is a connection has answered no question for so long."""
COUNT_SECONDS = 2.0
"""How long the number of worker threads is cached."""
_LARGE_GRAPHS = {"distributed.admin.large-graph-warning-threshold": "1GiB"}
"""The graph of 100,000 operations has 10 MB, about which Dask would warn."""

logger = logging.getLogger(__name__)


class _EventRouter:
    """Passes events to all runs on a client, since a client has one handler per topic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: weakref.WeakKeyDictionary[Client, dict[str, Send]] = weakref.WeakKeyDictionary()

    def add(self, client: Client, run: str, send: Send) -> None:
        with self._lock:
            runs = self._runs.get(client)
            if runs is None:
                runs = self._runs[client] = {}

                def receive(event: tuple[float, object], runs: dict[str, Send] = runs) -> None:
                    _, message = event
                    if isinstance(message, bytes):
                        batch = decode_batch(message)
                        reports = Reports(batch.run, batch.reports, batch.counts)
                        for receiver in list(runs.values()):
                            receiver(reports)

                client.subscribe_topic(runtime.TOPIC, receive)
            runs[run] = send

    def remove(self, client: Client, run: str) -> None:
        with self._lock:
            self._runs.get(client, {}).pop(run, None)


_router = _EventRouter()
_MEMORY_LIMIT: Final = "memory_limit"
"""Part of Dask's message about a task whose arguments are larger than any worker's memory."""
_MEMORY_ADVICE: Final = (
    f"Raise {ENV_DASK_MEMORY} in a process, cluster.worker.resources.limits.memory in a WorkPlan."
)


class DaskSession:
    """Runs tasks on a Dask client; `local` if its worker is in this process.

    There, resources of workers do not count. `promised` is what workers that may still come offer.
    """

    def __init__(
        self,
        client: Client,
        run: str,
        send: Send,
        *,
        local: bool,
        promised: Sequence[Mapping[str, float]] = (),
    ) -> None:
        self._client = client
        self._local = local
        self._promised = promised
        self._run = run
        self._send = send
        self._futures: dict[TaskKey, DaskFuture[Any]] = {}
        self._needing: set[TaskKey] = set()
        """Tasks that wait for resources of a worker, even if it has a free thread."""
        self._cancelled = False
        self._released = False
        self._connected = time.monotonic()
        self._silent_since = math.inf
        """Since when the scheduler does not answer, by the monotonic clock; infinite if it does."""
        self._threads = 0
        self._counts_until = 0.0
        self.salt = task_salt(client, run, local=local)
        if local:
            runtime.subscribe(run, self._receive)
        else:
            _router.add(client, run, send)

    def submit(self, tasks: Sequence[TaskSpec], run: RunSpec, ranks: Ranks = NO_RANKS) -> None:
        """Send the tasks to the scheduler in one message."""
        if not self._local:
            tasks = refuse_unoffered(self._client, tasks, self._promised)
        needed = {} if self._local else needed_resources(tasks)
        self._needing.update(needed)
        graph = build_graph(tasks, run)
        keys = [task.key for task in tasks]
        try:
            with dask.config.set(_LARGE_GRAPHS), annotate(**annotations_for(ranks, needed)):
                futures = self._client.get(graph, keys, sync=False)
        except Exception as error:
            raise SchedulerLost(f"cannot submit tasks to the Dask scheduler: {error}") from error
        for key, future in zip(keys, futures, strict=True):
            self._futures[key] = future
            future.add_done_callback(self._done)

    def fetch(self, key: TaskKey) -> object:
        """Return one value, gathered from its worker."""
        future = self._futures.get(key)
        if future is None:
            # Its worker died after it had ended, and the run was cancelled before it was back.
            raise WorkerLost(f"the value of task {key} is not held any more")
        return wait_for_value(self._client, future, self.check)

    def release(self, keys: Collection[TaskKey]) -> None:
        """Release futures, so that workers can free their values."""
        for key in keys:
            future = self._futures.pop(key, None)
            self._needing.discard(key)
            if future is not None:
                future.release()
                self._released = True

    def map(
        self, function: Callable[..., object], items: Sequence[tuple[object, ...]]
    ) -> list[object]:
        """Run one Dask task per call; equal calls are not merged, as they may have side effects."""
        futures = [self._client.submit(function, *arguments, pure=False) for arguments in items]
        results: list[object] = []
        for future in futures:
            try:
                value = wait_for_value(
                    self._client, future, self.check, lambda: runtime.is_cancelled(self._run)
                )
                results.append(value)
            except (RunCancelled, SchedulerLost):
                raise
            except Exception as error:  # noqa: BLE001  # returned as a value
                results.append(error)
        return results

    def check(self) -> str | None:
        """Return why the scheduler cannot be used; None if it can."""
        if time.monotonic() - self._silent_since > FROZEN_SECONDS:
            return f"the Dask scheduler has not answered for {FROZEN_SECONDS:g} seconds"
        status = self._client.status
        if status in ("closed", "closing"):
            return f"the connection to the Dask scheduler is {status}"
        if status == "running":
            self._connected = time.monotonic()
        elif time.monotonic() - self._connected > RECONNECT_SECONDS:
            return f"the Dask scheduler has not answered for {RECONNECT_SECONDS:g} seconds"
        return None

    def stalled(self, keys: Collection[TaskKey]) -> list[TaskKey]:
        """Return the tasks that the scheduler does not know, or that no worker goes on with."""
        unknown: list[TaskKey] = []
        pending: list[TaskKey] = []
        for key in keys:
            future = self._futures.get(key)
            if future is None:
                unknown.append(key)
            elif future.done():
                self._done(future)
            else:
                pending.append(key)
        try:
            return [*unknown, *stalled_tasks(self._client, pending, self._needing)]
        except NO_ANSWER as error:
            logger.debug("the cluster does not say what became of tasks: %s", error)
            return unknown

    @property
    def parallelism(self) -> int:
        """The number of threads of all workers, cached for a moment."""
        now = time.monotonic()
        if now >= self._counts_until:
            # Progress is reported ten times a second.
            try:
                found = workers(self._client).values()
                self._threads = sum(int(worker.get("nthreads", 1)) for worker in found)
                self._silent_since = math.inf
            except NO_ANSWER as error:
                logger.debug("the scheduler does not say which workers it has: %s", error)
                self._silent_since = min(self._silent_since, now)
            self._counts_until = time.monotonic() + COUNT_SECONDS
        return self._threads

    def cancel(self) -> None:
        """Release unfinished tasks: waiting ones are forgotten, running ones stop soon.

        Rejected: `Client.cancel`. It also cancels tasks with the same key that another run, or the
        next one, has submitted meanwhile.
        """
        self._cancelled = True
        runtime.cancel_run(self._run)
        abandon_tasks(self._client)
        # Finished tasks are kept until they are released: goals may still be fetched.
        self.release([key for key, future in self._futures.items() if not future.done()])

    def close(self) -> None:
        """Release everything that the run holds."""
        runtime.forget_run(self._run)
        _router.remove(self._client, self._run)
        self.release(list(self._futures))
        if self._client.status == "running":
            self._settle()

    def _settle(self) -> None:
        """Wait until Dask has processed the release of futures, which it does in its event loop.

        A task that another run submits before that with the same key would be the old task.
        """
        if self._released:
            self._client.sync(_noop)
            self._released = False

    def _receive(self, run: str, reports: Iterable[Report]) -> None:
        self._send(Reports(run, tuple(reports)))

    def _done(self, future: DaskFuture[Any]) -> None:
        key = TaskKey(str(future.key))
        if self._cancelled or self._futures.get(key) is not future:
            return
        if future.status == "finished":
            self._send(TaskDone(key))
            return
        if self._client.status != "running":
            self._send(ExecutorStopped("the connection to the Dask scheduler was lost"))
            return
        error: BaseException | None
        try:
            error = future.exception(timeout=10)
        except (Exception, CancelledError) as reason:  # noqa: BLE001  # any error explains why there is no value
            error = reason
        self._send(_lost(key, error or DaskCancelledError(key, future.status)))


async def _noop() -> None:
    """Do nothing; it runs after the callbacks that the event loop has queued before."""


def _lost(key: TaskKey, error: BaseException) -> TaskLost:
    """Return the message about a task that has no value, with an explanation for users."""
    if isinstance(error, KilledWorker):
        return TaskLost(key, failure_of(WorkerLost(killed_text(error))), str(error.task))
    if isinstance(error, CancelledError | DaskCancelledError):
        return TaskLost(key, failure_of(WorkerLost("the scheduler has dropped its task")))
    failure = failure_of(error)
    if isinstance(error, MemoryError) and _MEMORY_LIMIT in failure.message:
        # What the scheduler will not place it refuses again.
        failure = replace(failure, message=f"{failure.message} {_MEMORY_ADVICE}", transient=False)
    return TaskLost(key, failure)
