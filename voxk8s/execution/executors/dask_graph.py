"""Units as Dask tasks: the only module that knows Dask's graph format."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeAlias

from dask._task_spec import Task, TaskRef
from dask.order import order

from voxk8s.execution.executors.recompute import Recipe, run_recipe
from voxk8s.execution.outcome import Failed
from voxk8s.execution.tasks.ordering import depth_first, most_held
from voxk8s.execution.tasks.scheduling import Placement, Schedule
from voxk8s.execution.tasks.task import TaskKey, Unit
from voxk8s.execution.worker.run_task import run_unit
from voxk8s.execution.worker.runtime import Context

DaskGraph: TypeAlias = dict[str, Task]

logger = logging.getLogger(__name__)

_ANYWHERE = Placement()
COMPARED = 20_000
"""Tasks up to which our order of a graph is compared with Dask's."""


class OperationError(RuntimeError):
    """An operation of a graph from `compile_to_dask` failed."""


def compile_units(units: Iterable[Unit], context: Context) -> DaskGraph:
    """Make one task of each unit; values and failures flow between them."""
    return {unit.key: _task(unit, context, run_unit) for unit in units}


def wishes(
    graph: DaskGraph,
    units: Mapping[TaskKey, Unit],
    targets: Collection[TaskKey],
    schedule: Schedule,
) -> dict[str, Callable[[str], object]]:
    """Give Dask's annotations of a graph: functions from a task's name to what it is told."""
    found: dict[str, Callable[[str], object]] = {}
    ranks = _ranks(graph, units, targets) if schedule.ranks is None else schedule.ranks
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
    graph: DaskGraph, units: Mapping[TaskKey, Unit], targets: Collection[TaskKey]
) -> Mapping[TaskKey, int]:
    """Rank tasks so that fewer values are held at a time.

    That is our order or the one that Dask finds by itself: then nothing is given. To find out is
    not worth it for very large graphs.
    """
    ranks = depth_first(units, targets)
    if len(graph) <= COMPARED:
        found = order(dict(graph.items()))
        theirs = {key: found[key] for key in ranks}
        if most_held(units, ranks) >= most_held(units, theirs):
            return {}
    return ranks


def compile_plain(
    units: Mapping[TaskKey, Unit], context: Context, recipes: Mapping[TaskKey, Recipe]
) -> DaskGraph:
    """Make tasks that raise when an operation fails, for whoever runs the graph himself.

    `recipes` are those of units that only read what the store holds.
    """
    return {
        unit.key: _task(unit, context, run_plain, recipes.get(unit.key)) for unit in units.values()
    }


def run_plain(unit: Unit, context: Context, recipe: Recipe | None, *upstream: object) -> object:
    """Run a unit of one export; raises `OperationError` with the operation's message."""
    value = run_unit(unit, context, *upstream)
    if isinstance(value, Failed) and value.missing and recipe is not None:
        logger.warning("%s; it is computed again", value.message)
        value = run_recipe(recipe, context)
    if isinstance(value, Failed):
        raise OperationError(f"{value.key}: {value.error}: {value.message}")
    return value


def _task(
    unit: Unit, context: Context, function: Callable[..., object], *more: Recipe | None
) -> Task:
    upstream = (TaskRef(key) for key in unit.dependencies)
    return Task(unit.key, function, unit, context, *more, *upstream)
