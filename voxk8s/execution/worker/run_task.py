"""The inside of a task: runs the steps of a task and lets go what was used last."""

from __future__ import annotations

from collections.abc import Mapping

from voxk8s.execution.tasks.task import TaskSpec
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.step import run_step
from voxk8s.execution.worker.task_context import Clock, RunSpec, SlotValue, TaskContext
from voxk8s.kernels import registry

FLUSH_SECONDS = 1.0
"""Reports of a long task are sent at least this often."""


def run_task(task: TaskSpec, run: RunSpec, *upstream: object, clock: Clock | None = None) -> object:
    """Run a task; `upstream` are the values of its dependencies, in their order.

    Gives the value of its only export, or a mapping of all exports by key. A value that could not
    be computed is a `Failed`; this function itself raises nothing but what kills a process.
    """
    runtime.prepare_process()
    clock = clock or Clock()
    work = TaskContext(run, run.shared_store(), clock, runtime.worker_name(), registry())
    work.flushed_at = clock.elapsed()
    slots: list[SlotValue] = [*task.constants, *_upstream_values(task, upstream)]
    last_use = _last_uses(task, len(slots))
    for step in task.steps:
        number = len(slots)
        slots.append(run_step(step, slots, work))
        for argument in step.arguments:
            if last_use[argument] == number:
                slots[argument] = None
        if last_use[number] == number:
            slots[number] = None
        if clock.elapsed() - work.flushed_at > FLUSH_SECONDS:
            work.flush()
    work.flush()
    if len(task.exports) == 1:
        return slots[task.exports[0]]
    first = len(task.constants) + len(task.upstream)
    return {task.steps[number - first].key: slots[number] for number in task.exports}


def _upstream_values(task: TaskSpec, upstream: tuple[object, ...]) -> list[SlotValue]:
    values = dict(zip(task.dependencies, upstream, strict=True))
    found: list[SlotValue] = []
    for reference in task.upstream:
        value = values[reference.task]
        if not reference.sole_export and isinstance(value, Mapping):
            value = value[reference.key]
        found.append(value)  # type: ignore[arg-type]  # tasks give values and failures only
    return found


def _last_uses(task: TaskSpec, first: int) -> list[int]:
    """For each slot, the number of the last step that uses it; exports are used by none here."""
    last = [*range(first), *range(first, first + len(task.steps))]
    for number, step in enumerate(task.steps, first):
        for argument in step.arguments:
            last[argument] = number
    for number in task.exports:
        last[number] = -1
    return last
