"""Tasks as Dask tasks: the only module that knows Dask's graph format."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeAlias

from dask._task_spec import Task, TaskRef
from dask.order import order

from voxk8s.execution.executors.recompute import Recomputation, recompute
from voxk8s.execution.outcome import Failed
from voxk8s.execution.tasks.ordering import depth_first_order, peak_live_values
from voxk8s.execution.tasks.scheduling import Placement, Schedule
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker.run_task import run_task
from voxk8s.execution.worker.runtime import RunSpec

DaskGraph: TypeAlias = dict[str, Task]

logger = logging.getLogger(__name__)

_ANYWHERE = Placement()
COMPARED = 20_000
"""Tasks up to which our order of a graph is compared with Dask's."""


class OperationError(RuntimeError):
    """An operation of a graph from `compile_to_dask` failed."""


def build_graph(tasks: Iterable[TaskSpec], context: RunSpec) -> DaskGraph:
    """Make one task of each task; values and failures flow between them."""
    return {task.key: _task(task, context, run_task) for task in tasks}


def annotations_for(
    graph: DaskGraph,
    tasks: Mapping[TaskKey, TaskSpec],
    targets: Collection[TaskKey],
    schedule: Schedule,
) -> dict[str, Callable[[str], object]]:
    """Give Dask's annotations of a graph: functions from a task's name to what it is told."""
    found: dict[str, Callable[[str], object]] = {}
    ranks = _ranks(graph, tasks, targets) if schedule.ranks is None else schedule.ranks
    if ranks:
        # The highest comes first.
        found["priority"] = {str(key): -rank for key, rank in ranks.items()}.get
    if schedule.placements:
        places = {str(key): place for key, place in schedule.placements.items()}
        found["workers"] = lambda key: places.get(key, _ANYWHERE).workers
        found["resources"] = lambda key: dict(places.get(key, _ANYWHERE).resources)
        found["allow_other_workers"] = lambda key: places.get(key, _ANYWHERE).elsewhere
    return found


def _ranks(
    graph: DaskGraph, tasks: Mapping[TaskKey, TaskSpec], targets: Collection[TaskKey]
) -> Mapping[TaskKey, int]:
    """Rank tasks so that fewer values are held at a time.

    That is our order or the one that Dask finds by itself: then nothing is given. To find out is
    not worth it for very large graphs.
    """
    ranks = depth_first_order(tasks, targets)
    if len(graph) <= COMPARED:
        found = order(dict(graph.items()))
        theirs = {key: found[key] for key in ranks}
        if peak_live_values(tasks, ranks) >= peak_live_values(tasks, theirs):
            return {}
    return ranks


def build_plain_graph(
    tasks: Mapping[TaskKey, TaskSpec], context: RunSpec, recipes: Mapping[TaskKey, Recomputation]
) -> DaskGraph:
    """Make tasks that raise when an operation fails, for whoever runs the graph himself.

    `recipes` are those of tasks that only read what the store holds.
    """
    return {
        task.key: _task(task, context, run_plain, recipes.get(task.key)) for task in tasks.values()
    }


def run_plain(
    task: TaskSpec, context: RunSpec, recipe: Recomputation | None, *upstream: object
) -> object:
    """Run a task of one export; raises `OperationError` with the operation's message."""
    value = run_task(task, context, *upstream)
    if isinstance(value, Failed) and value.missing and recipe is not None:
        logger.warning("%s; it is computed again", value.message)
        value = recompute(recipe, context)
    if isinstance(value, Failed):
        raise OperationError(f"{value.key}: {value.error}: {value.message}")
    return value


def _task(
    task: TaskSpec, context: RunSpec, function: Callable[..., object], *more: Recomputation | None
) -> Task:
    upstream = (TaskRef(key) for key in task.dependencies)
    return Task(task.key, function, task, context, *more, *upstream)
