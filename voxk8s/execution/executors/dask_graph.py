"""Dask graphs: tasks, their annotations and priorities. The only module that knows the format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeAlias

from dask._task_spec import Task, TaskRef
from dask.order import order

from voxk8s.execution.tasks.scheduling import Placement, Schedule
from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.execution.worker.run_task import run_task
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.plan import topological_order

DaskGraph: TypeAlias = dict[str, Task]

_ANYWHERE: Final = Placement()
MAX_COMPARED_TASKS: Final = 20_000
"""Our order is compared with Dask's for graphs of at most this many tasks."""


def build_graph(tasks: Iterable[TaskSpec], run: RunSpec) -> DaskGraph:
    """Return one Dask task for each task; values and failures are passed between them."""
    return {task.key: dask_task(task, run_task, run) for task in tasks}


def annotations_for(
    graph: DaskGraph,
    tasks: Mapping[TaskKey, TaskSpec],
    targets: Collection[TaskKey],
    schedule: Schedule,
) -> dict[str, Callable[[str], object]]:
    """Return Dask annotations for a graph, as functions of the key of a task."""
    annotations: dict[str, Callable[[str], object]] = {}
    ranks = _ranks(graph, tasks, targets) if schedule.ranks is None else schedule.ranks
    if ranks:
        # Dask runs the highest priority first.
        annotations["priority"] = {str(key): -rank for key, rank in ranks.items()}.get
    if schedule.placements:
        placements = {str(key): place for key, place in schedule.placements.items()}
        annotations["workers"] = lambda key: placements.get(key, _ANYWHERE).workers
        annotations["resources"] = lambda key: dict(placements.get(key, _ANYWHERE).resources)
        annotations["allow_other_workers"] = lambda key: placements.get(key, _ANYWHERE).elsewhere
    return annotations


def _ranks(
    graph: DaskGraph, tasks: Mapping[TaskKey, TaskSpec], targets: Collection[TaskKey]
) -> Mapping[TaskKey, int]:
    """Return ranks for our order, or none when Dask's own order holds no more values at a time.

    Very large graphs are not compared: that would take longer than it saves.
    """
    ranks = depth_first_order(tasks, targets)
    if len(graph) <= MAX_COMPARED_TASKS:
        dask_order = order(dict(graph.items()))
        dask_ranks = {key: dask_order[key] for key in ranks}
        if peak_live_values(tasks, ranks) >= peak_live_values(tasks, dask_ranks):
            return {}
    return ranks


def depth_first_order(
    tasks: Mapping[TaskKey, TaskSpec], targets: Iterable[TaskKey]
) -> dict[TaskKey, int]:
    """Return the rank of each task in depth-first order; the task of rank 0 is the first.

    The branches of a parameter sweep run one after the other, each with the values that only it
    needs. Dask's own order starts all branches before it ends the first one, and holds at least one
    value of each.
    """
    needs: dict[TaskKey, Collection[TaskKey]] = {
        key: task.dependencies for key, task in tasks.items()
    }
    return {key: rank for rank, key in enumerate(topological_order(needs, targets))}


def peak_live_values(tasks: Mapping[TaskKey, TaskSpec], ranks: Mapping[TaskKey, int]) -> int:
    """Return the largest number of values that wait for their last use, in the order of `ranks`."""
    sequence = sorted(ranks, key=ranks.__getitem__)
    last_use = {need: key for key in sequence for need in tasks[key].dependencies}
    released = Counter(last_use.values())
    live = peak = 0
    for key in sequence:
        live += key in last_use
        peak = max(peak, live)
        live -= released[key]
    return peak


def dask_task(task: TaskSpec, function: Callable[..., object], *arguments: object) -> Task:
    """Return the Dask task `function(task, *arguments, *values of its dependencies)`."""
    upstream = (TaskRef(key) for key in task.dependencies)
    return Task(task.key, function, task, *arguments, *upstream)
