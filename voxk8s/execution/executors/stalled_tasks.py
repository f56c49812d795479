"""Asks a Dask cluster which tasks will never end: their messages, or the tasks, were lost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from distributed import Client

from voxk8s.execution.executors.scheduler_questions import (
    placed_tasks,
    running_tasks,
    task_states,
    workers,
)
from voxk8s.execution.tasks.task import TaskKey

_UNDER_WAY: Final = frozenset({"waiting", "processing", "queued", "no-worker"})


def stalled_tasks(
    client: Client, keys: Collection[TaskKey], needing: Collection[TaskKey] = ()
) -> list[TaskKey]:
    """Return the tasks that the scheduler does not know, and those that no worker goes on with.

    `keys` are tasks of which the client has heard no end. Those in `needing` may have to wait for
    others that use the resources of their worker. Raises OSError or TimeoutError when the scheduler
    or a worker does not answer.
    """
    # Between two of the questions a task may have begun or ended: it counts if it is found twice.
    found = _stalled(client, keys, needing)
    return [key for key in _stalled(client, found, needing) if key in found] if found else []


def _stalled(
    client: Client, keys: Collection[TaskKey], needing: Collection[TaskKey]
) -> list[TaskKey]:
    states = task_states(client, keys)
    placed = placed_tasks(client)
    running = running_tasks(client)
    stuck = {
        key
        for worker, info in workers(client).items()
        if info.get("status") == "running"
        and len(running.get(worker, ())) < int(info.get("nthreads", 1))
        for key in set(placed.get(worker, ())) - set(running.get(worker, ()))
        if key not in needing or not running.get(worker)
    }
    found = [key for key in keys if states.get(key) not in _UNDER_WAY or key in stuck]
    waiting = [key for key in keys if states.get(key) == "waiting"]
    # They wait for tasks, maybe of other runs: for none that goes on if nothing runs anywhere.
    is_idle = not any(running.values()) and not (
        {"queued", "no-worker"} & {states.get(key) for key in keys}
    )
    return [*found, *waiting] if is_idle else found
