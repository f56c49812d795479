"""Waits for a value of a Dask cluster, for as long as the cluster may still give it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, wait
from concurrent.futures import Future as ConcurrentFuture
from typing import Any, Final

from distributed import Client, KilledWorker
from distributed.client import Future as DaskFuture

from voxk8s.errors import SchedulerLost, WorkerLost
from voxk8s.execution.executors.protocol import RunCancelled
from voxk8s.execution.executors.scheduler_questions import NO_ANSWER, running_tasks
from voxk8s.execution.executors.stalled_tasks import stalled_tasks
from voxk8s.execution.quiet_watch import QuietWatch
from voxk8s.execution.tasks.task import TaskKey

TICK_SECONDS: Final = 0.5
"""How often a waiting run looks whether the scheduler is still there."""


def wait_for_value(
    client: Client,
    future: DaskFuture[Any],
    check: Callable[[], str | None],
    is_cancelled: Callable[[], bool] = lambda: False,
) -> object:
    """Return the value of a future, however long its computation and its transfer take.

    `check` returns why no value will come from the scheduler any more. Raises what the task has
    raised, SchedulerLost, WorkerLost when the cluster has lost the task or its value, and
    RunCancelled as soon as `is_cancelled`.
    """
    loop: Any = client.loop
    # Not `future.result(timeout)`, which begins the transfer again.
    gathered = asyncio.run_coroutine_threadsafe(_gather(client, future), loop.asyncio_loop)
    watch = QuietWatch()
    try:
        while not gathered.done():
            wait([gathered], TICK_SECONDS)
            if is_cancelled():
                raise RunCancelled
            if (reason := check()) is not None:
                raise SchedulerLost(reason)
            if watch.is_due() and _is_given_up(client, future, gathered):
                raise WorkerLost("no worker goes on with it")
        return _result(gathered, future, check)
    finally:
        gathered.cancel()


async def _gather(client: Client, future: DaskFuture[Any]) -> Any:
    return await client.gather(future, asynchronous=True)


def _result(
    gathered: ConcurrentFuture[Any], future: DaskFuture[Any], check: Callable[[], str | None]
) -> object:
    try:
        return gathered.result()
    except KilledWorker as error:
        raise WorkerLost(killed_text(error)) from error
    except (CancelledError, OSError) as error:
        if future.status == "error":
            raise
        if (reason := check()) is not None:
            raise SchedulerLost(reason) from error
        raise WorkerLost(f"its worker is gone: {error}") from error


def killed_text(error: KilledWorker) -> str:
    """Return an explanation for users."""
    return (
        f"{error.allowed_failures + 1} workers died while they computed it"
        " (out of memory? give workers a higher limit)"
    )


def _is_given_up(client: Client, future: DaskFuture[Any], gathered: ConcurrentFuture[Any]) -> bool:
    """Whether a task was lost, or the transfer of its value waits for a worker that is frozen."""
    if not future.done():
        try:
            if not stalled_tasks(client, [TaskKey(str(future.key))]):
                return False
        except NO_ANSWER:
            # The scheduler gives the tasks of a worker that it does not hear to others.
            return False
        # A task that has ended meanwhile runs nowhere, and its end may be on its way.
        wait([gathered], TICK_SECONDS)
        return not future.done()
    try:
        running_tasks(client)
    except NO_ANSWER:
        return True
    return False
