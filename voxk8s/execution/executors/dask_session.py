"""A run on a Dask client, wherever its workers are; both Dask executors share it."""

from __future__ import annotations

import logging
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
from voxk8s.execution.executors.protocol import Done, Lost, Reports, Send, Stopped
from voxk8s.execution.reports import Report, decode_batch
from voxk8s.execution.tasks.scheduling import DEFAULT_SCHEDULE, Schedule
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.failure import failure_of

RECONNECT_SECONDS = 10.0
"""So long a client may look for its scheduler before the run is given up."""
COUNT_SECONDS = 2.0
"""How long the number of threads of all workers is taken for the same."""
_LARGE_GRAPHS = {"distributed.admin.large-graph-warning-threshold": "1GiB"}
"""A plan of 100,000 operations is a graph of 10 MB: large, and what is wanted."""

logger = logging.getLogger(__name__)


class _Router:
    """Hands a scheduler's events to all runs on one client, which has one handler a topic."""

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
                        reports = Reports(batch.run, batch.reports)
                        for receiver in list(runs.values()):
                            receiver(reports)

                client.subscribe_topic(runtime.TOPIC, receive)
            runs[run] = send

    def remove(self, client: Client, run: str) -> None:
        with self._lock:
            self._runs.get(client, {}).pop(run, None)


_router = _Router()
_REFUSED: Final = "memory_limit"
"""In Dask's words for a task whose arguments are larger than any worker."""
_MORE_MEMORY: Final = (
    f"Raise {ENV_DASK_MEMORY} in a process, cluster.worker.resources.limits.memory in a WorkPlan."
)


class DaskSession:
    """Tasks as tasks of one Dask client; `local` says that its worker is in this process."""

    def __init__(self, client: Client, run: str, send: Send, *, local: bool) -> None:
        self._client = client
        self._run = run
        self._send = send
        self._futures: dict[TaskKey, DaskFuture[Any]] = {}
        self._cancelled = False
        self._released = False
        self._connected = time.monotonic()
        self._threads = 0
        self._counts_until = 0.0
        self.salt = _salt(client, run, local=local)
        if local:
            runtime.subscribe(run, self._receive)
        else:
            _router.add(client, run, send)

    def submit(
        self,
        tasks: Mapping[TaskKey, TaskSpec],
        context: RunSpec,
        watch: Collection[TaskKey],
        schedule: Schedule = DEFAULT_SCHEDULE,
    ) -> None:
        """Hand the graph to the scheduler in one message."""
        self._settle()
        watched = list(watch)
        graph = build_graph(tasks.values(), context)
        wished = annotations_for(graph, tasks, watched, schedule)
        try:
            with dask.config.set(_LARGE_GRAPHS), annotate(**wished):
                futures = self._client.get(graph, watched, sync=False)
        except Exception as error:
            raise SchedulerLost(f"the Dask scheduler takes no work: {error}") from error
        for key, future in zip(watched, futures, strict=True):
            self._futures[key] = future
            future.add_done_callback(self._done)

    def fetch(self, key: TaskKey) -> object:
        """Gather one value from its worker."""
        return self._futures[key].result()

    def release(self, keys: Collection[TaskKey]) -> None:
        """Give futures back, so that workers can free what they hold."""
        for key in keys:
            future = self._futures.pop(key, None)
            if future is not None:
                future.release()
                self._released = True

    def map(
        self, function: Callable[..., object], items: Sequence[tuple[object, ...]]
    ) -> list[object]:
        """One task per call; calls have side effects, so equal calls are not merged."""
        futures = [self._client.submit(function, *arguments, pure=False) for arguments in items]
        results: list[object] = []
        for future in futures:
            try:
                results.append(future.result())
            except (Exception, CancelledError) as error:  # noqa: BLE001  # handed over as a value
                results.append(error)
        return results

    def check(self) -> str | None:
        """Look at the connection to the scheduler."""
        status = self._client.status
        if status in ("closed", "closing"):
            return f"the connection to the Dask scheduler is {status}"
        if status == "running":
            self._connected = time.monotonic()
        elif time.monotonic() - self._connected > RECONNECT_SECONDS:
            return f"the Dask scheduler has not answered for {RECONNECT_SECONDS:g} seconds"
        return None

    @property
    def parallelism(self) -> int:
        """Threads of all workers, a moment ago."""
        now = time.monotonic()
        if now >= self._counts_until:
            # The client asks its scheduler, and counts are wanted ten times a second.
            workers = self._client.scheduler_info(n_workers=-1).get("workers", {})
            self._threads = sum(int(worker.get("nthreads", 1)) for worker in workers.values())
            self._counts_until = now + COUNT_SECONDS
        return self._threads

    def cancel(self) -> None:
        """Give back what has not ended: what waits is forgotten, what runs stops soon.

        Rejected: `Client.cancel`. It reaches tasks of the same name that another run, or the next
        one, has submitted meanwhile.
        """
        self._cancelled = True
        runtime.cancel_run(self._run)
        with _lock:
            _abandoned[self._client] = _abandoned.get(self._client, 0) + 1
        # What has ended is held until it is released: goals may still be fetched.
        self.release([key for key, future in self._futures.items() if not future.done()])

    def close(self) -> None:
        """Give back everything that this run holds."""
        runtime.forget_run(self._run)
        _router.remove(self._client, self._run)
        self.release(list(self._futures))
        if self._client.status == "running":
            self._settle()

    def _settle(self) -> None:
        """Wait until released futures are released.

        Dask does it later, in its loop, and a task that is submitted before would be the old one.
        """
        if self._released:
            self._client.sync(_nothing)
            self._released = False

    def _receive(self, run: str, reports: Iterable[Report]) -> None:
        self._send(Reports(run, tuple(reports)))

    def _done(self, future: DaskFuture[Any]) -> None:
        key = TaskKey(str(future.key))
        if self._cancelled or self._futures.get(key) is not future:
            return
        if future.status == "finished":
            self._send(Done(key))
            return
        if self._client.status != "running":
            self._send(Stopped("the connection to the Dask scheduler was lost"))
            return
        error: BaseException | None
        try:
            error = future.exception(timeout=10)
        except (Exception, CancelledError) as reason:  # noqa: BLE001  # whatever it is, it is the reason
            error = reason
        self._send(_lost(key, error or DaskCancelledError(key, future.status)))


_lock = threading.Lock()
_abandoned: weakref.WeakKeyDictionary[Client, int] = weakref.WeakKeyDictionary()
"""How many runs of this process left a client's tasks behind unfinished."""


def _salt(client: Client, run: str, *, local: bool) -> str:
    """Choose the names of a run's tasks: plain ones, which other runs share, if that is safe.

    A worker goes on with an operation after everybody has given its task up, and keeps in mind what
    the tasks below it needed. A task of the same name that needs other things now, since more
    results are known, would wait there for ever. So after work was abandoned names are new.
    """
    with _lock:
        abandoned = _abandoned.get(client, 0)
    if abandoned:
        return f"after{abandoned}" if local else run[:12]
    if local:
        return ""
    try:
        # A task that ended between the two questions of one look is no leftover: look twice.
        left = _left_behind(client)
        left = left and left & _left_behind(client)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        logger.debug("cannot see what workers do: %s", error)
        return run[:12]
    return run[:12] if left else ""


def _left_behind(client: Client) -> set[object]:
    """Find what workers are busy with that the scheduler does not want of them."""
    at_work = {key for keys in client.call_stack().values() for key in keys}
    return at_work - {key for keys in client.processing().values() for key in keys}


async def _nothing() -> None:
    """Be the next thing that a loop does."""


def _lost(key: TaskKey, error: BaseException) -> Lost:
    """Say why a task has no value, in words of ours."""
    if isinstance(error, KilledWorker):
        text = (
            f"{error.allowed_failures + 1} workers died while they computed it"
            " (out of memory? give workers a higher limit)"
        )
        return Lost(key, failure_of(WorkerLost(text)), str(error.task))
    if isinstance(error, CancelledError | DaskCancelledError):
        return Lost(key, failure_of(WorkerLost("the scheduler has dropped its task")))
    failure = failure_of(error)
    if isinstance(error, MemoryError) and _REFUSED in failure.message:
        # What the scheduler will not place it refuses again.
        failure = replace(failure, message=f"{failure.message} {_MORE_MEMORY}", transient=False)
    return Lost(key, failure)
