"""Operations that need resources which no worker of a Dask cluster offers.

Dask would let them wait for ever, so they fail instead.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from distributed import Client

from voxk8s.constants import GROUP_MARK
from voxk8s.execution.executors.scheduler_questions import NO_ANSWER, workers
from voxk8s.execution.tasks.task import Step, TaskKey, TaskSpec
from voxk8s.kernels import registry
from voxk8s.kernels.worker_resources import Resources, calls_at_once, describe

logger: Final = logging.getLogger(__name__)


def refuse_unoffered(
    client: Client, tasks: Sequence[TaskSpec], promised: Sequence[Mapping[str, float]]
) -> Sequence[TaskSpec]:
    """Return the tasks, of which those that no worker can run fail with a message.

    `promised` is what workers that may still come offer.
    """
    if all(_is_offered(task, promised) for task in tasks):
        return tasks
    try:
        found = workers(client).values()
    except NO_ANSWER as error:
        logger.debug("the scheduler does not say what its workers offer: %s", error)
        return tasks
    offers = [*promised, *(dict(worker.get("resources") or {}) for worker in found)]
    return [task if _is_offered(task, offers) else _refused(task, offers) for task in tasks]


def needed_resources(tasks: Iterable[TaskSpec]) -> dict[TaskKey, Resources]:
    """Return what tasks need, of those that need any."""
    return {task.key: task.resources for task in tasks if task.resources}


def _is_offered(task: TaskSpec, offers: Iterable[Mapping[str, float]]) -> bool:
    return not task.resources or any(calls_at_once(offer, task.resources) for offer in offers)


def _refused(task: TaskSpec, offers: Iterable[Mapping[str, float]]) -> TaskSpec:
    texts = {
        describe(tuple(sorted((name, each[name]) for name in each if name != GROUP_MARK)))
        for each in offers
    }
    needed = describe(task.resources)
    message = (
        f"expected a worker that offers {needed}, and the workers of the Dask cluster offer"
        f" {'; '.join(sorted(texts - {''})) or 'nothing'}: start one with"
        f' `dask worker --resources "{needed}"`'
    )
    steps = tuple(_refused_step(step, message) for step in task.steps)
    return dataclasses.replace(task, steps=steps, resources=())


def _refused_step(step: Step, message: str) -> Step:
    if not registry().resources(step.rule.kernel):
        return step
    rule = msgspec.structs.replace(step.rule, refused=message)
    return msgspec.structs.replace(step, rule=rule)
