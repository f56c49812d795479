"""The inside of a task: runs the steps of a unit and lets go what was used last."""

from __future__ import annotations

from collections.abc import Mapping

from voxk8s.execution.tasks.task import Unit
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.runtime import Context
from voxk8s.execution.worker.step import run_step
from voxk8s.execution.worker.task_context import Clock, Slot, Work
from voxk8s.kernels import registry

FLUSH_SECONDS = 1.0
"""Reports of a long task are sent at least this often."""


def run_unit(unit: Unit, context: Context, *upstream: object, clock: Clock | None = None) -> object:
    """Run a unit; `upstream` are the values of its dependencies, in their order.

    Gives the value of its only export, or a mapping of all exports by key. A value that could not
    be computed is a `Failed`; this function itself raises nothing but what kills a process.
    """
    runtime.prepare()
    clock = clock or Clock()
    work = Work(context, runtime.store_of(context), clock, runtime.worker_name(), registry())
    work.flushed = clock.elapsed()
    slots: list[Slot] = [*unit.constants, *_externals(unit, upstream)]
    last_use = _last_uses(unit, len(slots))
    for step in unit.steps:
        number = len(slots)
        slots.append(run_step(step, slots, work))
        for argument in step.arguments:
            if last_use[argument] == number:
                slots[argument] = None
        if last_use[number] == number:
            slots[number] = None
        if clock.elapsed() - work.flushed > FLUSH_SECONDS:
            work.flush()
    work.flush()
    if len(unit.exports) == 1:
        return slots[unit.exports[0]]
    first = len(unit.constants) + len(unit.externals)
    return {unit.steps[number - first].key: slots[number] for number in unit.exports}


def _externals(unit: Unit, upstream: tuple[object, ...]) -> list[Slot]:
    values = dict(zip(unit.dependencies, upstream, strict=True))
    found: list[Slot] = []
    for external in unit.externals:
        value = values[external.task]
        if not external.alone and isinstance(value, Mapping):
            value = value[external.key]
        found.append(value)  # type: ignore[arg-type]  # tasks give values and failures only
    return found


def _last_uses(unit: Unit, first: int) -> list[int]:
    """For each slot, the number of the last step that uses it; exports are used by none here."""
    last = [*range(first), *range(first, first + len(unit.steps))]
    for number, step in enumerate(unit.steps, first):
        for argument in step.arguments:
            last[argument] = number
    for number in unit.exports:
        last[number] = -1
    return last
