"""Dask graphs: tasks, their annotations and priorities. The only module that knows the format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from dask._task_spec import Task, TaskRef

from voxk8s.execution.tasks.scheduling import Ranks
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker.run_task import run_task
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.kernels.worker_resources import Resources

DaskGraph: TypeAlias = dict[str, Task]
NO_RESOURCES: Final[Mapping[TaskKey, Resources]] = {}


def build_graph(tasks: Iterable[TaskSpec], run: RunSpec) -> DaskGraph:
    """Return one Dask task for each task; values and failures are passed between them."""
    return {task.key: dask_task(task, run_task, run) for task in tasks}


def annotations_for(
    ranks: Ranks, resources: Mapping[TaskKey, Resources] = NO_RESOURCES
) -> dict[str, Callable[[str], object]]:
    """Return Dask annotations for a graph, as functions of the key of a task.

    `resources` are what a worker must offer, for the tasks that need any.
    """
    # Dask runs the highest priority first.
    found: dict[str, Callable[[str], object]] = {
        "priority": lambda key: -ranks.get(TaskKey(key), 0)
    }
    if resources:
        found["resources"] = lambda key: dict(resources.get(TaskKey(key), ()))
    return found


def dask_task(task: TaskSpec, function: Callable[..., object], *arguments: object) -> Task:
    """Return the Dask task `function(task, *arguments, *values of its dependencies)`."""
    upstream = (TaskRef(key) for key in task.dependencies)
    return Task(task.key, function, task, *arguments, *upstream)
