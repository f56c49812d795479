"""The salt of task keys: runs share tasks on a Dask client, unless it runs abandoned ones."""

from __future__ import annotations

import logging
import threading
import weakref

from distributed import Client

from voxk8s.execution.executors.scheduler_questions import NO_ANSWER, placed_tasks, running_tasks

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_abandoned: weakref.WeakKeyDictionary[Client, int] = weakref.WeakKeyDictionary()
"""How many runs of this process left unfinished tasks on a client."""


def abandon_tasks(client: Client) -> None:
    """Record that a run leaves unfinished tasks on a client."""
    with _lock:
        _abandoned[client] = _abandoned.get(client, 0) + 1


def task_salt(client: Client, run: str, *, local: bool) -> str:
    """Return the salt of a run's task keys: empty, so that runs share tasks, if that is safe.

    A worker finishes an operation after all clients released its task, and remembers the
    dependencies of that task. A new task with the same key but other dependencies, since more
    results are known by then, would wait there for ever. So keys are new while there are such
    tasks, or while a worker does not say what it runs.
    """
    with _lock:
        abandoned = _abandoned.get(client, 0)
    if abandoned:
        return f"after{abandoned}" if local else run[:12]
    if local:
        return ""
    try:
        # A task may have ended between the two calls of one check, so check twice.
        left = _left_behind(client)
        left = left and left & _left_behind(client)
    except NO_ANSWER as error:
        logger.debug("cannot list the running tasks of the workers: %s", error)
        return run[:12]
    return run[:12] if left else ""


def _left_behind(client: Client) -> set[object]:
    """Return the tasks that workers are running and the scheduler has forgotten."""
    running = {key for keys in running_tasks(client).values() for key in keys}
    return running - {key for keys in placed_tasks(client).values() for key in keys}
