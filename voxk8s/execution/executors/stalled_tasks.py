"""Asks a Dask cluster which tasks will never end: their messages, or the tasks, were lost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from distributed import Client

from voxk8s.execution.tasks.task import TaskKey

ANSWER_SECONDS: Final = 10.0
"""How long the scheduler, which asks the workers, may take to answer."""
_UNDER_WAY: Final = frozenset({"waiting", "processing", "queued", "no-worker"})


def stalled_tasks(client: Client, keys: Collection[TaskKey]) -> list[TaskKey]:
    """Return the tasks that the scheduler does not know, and those that no worker goes on with.

    `keys` are tasks of which the client has heard no end. Raises OSError or TimeoutError when the
    scheduler or a worker does not answer.
    """
    # Between two of the questions a task may have begun or ended: it counts if it is found twice.
    found = _stalled(client, keys)
    return [key for key in _stalled(client, found) if key in found] if found else []


def _stalled(client: Client, keys: Collection[TaskKey]) -> list[TaskKey]:
    scheduler: Any = client.scheduler
    ask = {"callback_timeout": ANSWER_SECONDS}
    states = client.sync(scheduler.get_task_status, keys=list(keys), **ask)
    placed = client.sync(scheduler.processing, workers=None, **ask)
    running = client.sync(scheduler.call_stack, keys=None, **ask)
    workers = client.scheduler_info(n_workers=-1).get("workers", {})
    stuck = {
        key
        for worker, info in workers.items()
        if info.get("status") == "running"
        and len(running.get(worker, ())) < int(info.get("nthreads", 1))
        for key in set(placed.get(worker, ())) - set(running.get(worker, ()))
    }
    found = [key for key in keys if states.get(key) not in _UNDER_WAY or key in stuck]
    waiting = [key for key in keys if states.get(key) == "waiting"]
    # They wait for tasks, maybe of other runs: for none that goes on if nothing runs anywhere.
    is_idle = not any(running.values()) and not (
        {"queued", "no-worker"} & {states.get(key) for key in keys}
    )
    return [*found, *waiting] if is_idle else found
