"""Units as Dask tasks: the only module that knows Dask's graph format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from dask._task_spec import Task, TaskRef

from voxk8s.execution.outcome import Failed
from voxk8s.execution.process import Context
from voxk8s.execution.task import run_unit
from voxk8s.execution.units import TaskKey, Unit

DaskGraph: TypeAlias = dict[str, Task]


class OperationError(RuntimeError):
    """An operation of a graph from `compile_to_dask` failed."""


def compile_units(units: Iterable[Unit], context: Context) -> DaskGraph:
    """Make one task of each unit; values and failures flow between them."""
    return {unit.key: _task(unit, context, run_unit) for unit in units}


def compile_plain(units: Mapping[TaskKey, Unit], context: Context) -> DaskGraph:
    """Make tasks that raise when an operation fails, for whoever runs the graph himself."""
    return {unit.key: _task(unit, context, run_plain) for unit in units.values()}


def run_plain(unit: Unit, context: Context, *upstream: object) -> object:
    """Run a unit of one export; raises `OperationError` with the operation's message."""
    value = run_unit(unit, context, *upstream)
    if isinstance(value, Failed):
        raise OperationError(f"{value.key}: {value.error}: {value.message}")
    return value


def _task(unit: Unit, context: Context, function: Callable[..., object]) -> Task:
    return Task(unit.key, function, unit, context, *(TaskRef(key) for key in unit.dependencies))
