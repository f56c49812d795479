"""What is done when results are not where they should be, and when processes are lost."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from voxk8s.errors import StoreError
from voxk8s.execution.events import WorkerRecovered
from voxk8s.execution.executors import Lost
from voxk8s.execution.run.run_context import Course
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.failure import Failure, failure_of
from voxk8s.plan import ResultKey

logger = logging.getLogger(__name__)

LOSSES = 1
"""How often a task is started again after the processes that ran it were lost for good."""
DISAPPEARANCES = 3
"""How often a result is computed again since it was not where it should have been."""


def compute_again(course: Course, key: ResultKey) -> None:
    """Have computed what was not where it should have been, a bounded number of times."""
    state = course.state
    state.gone[key] = state.gone.get(key, 0) + 1
    state.stale = True
    course.ledger.forget([key])
    if state.gone[key] > DISAPPEARANCES:
        _give_up(course, key, failure_of(StoreError("the store keeps losing this result")))


def revive(course: Course, keys: Iterable[ResultKey]) -> bool:
    """Have targets computed that are gone from the store; False when there are none, or enough.

    The store has noticed that they are gone, and will not say again that it holds them.
    """
    state = course.state
    again = [key for key in dict.fromkeys(keys) if state.gone.get(key, 0) < DISAPPEARANCES]
    for key in again:
        logger.warning("the result %s was in the store and is gone; it is computed again", key)
        del state.settled[key]
        compute_again(course, key)
    return bool(again)


def start_again(course: Course, lost: Lost) -> None:
    """Have a task run once more whose processes were lost, unless that happens again and again."""
    state = course.state
    state.waiting.discard(lost.key)
    course.session.release([lost.key])
    known = lost.culprit is not None and lost.culprit in state.tasks
    blamed = TaskKey(lost.culprit) if lost.culprit is not None and known else lost.key
    state.losses[blamed] = state.losses.get(blamed, 0) + 1
    state.stale = True
    # A task that is not to blame itself has more patience: others may have torn it down.
    if lost.failure.transient and state.losses[blamed] <= (LOSSES if known else 3 * LOSSES):
        text = f"task {blamed[:12]}: {lost.failure.message}; it is tried again"
        logger.warning(text)
        course.tell(WorkerRecovered(text))
        return
    last = ResultKey(state.tasks[blamed].steps[-1].key)
    _give_up(course, last, lost.failure)


def _give_up(course: Course, key: ResultKey, failure: Failure) -> None:
    course.note(course.name, [course.ledger.report_of(key, failure)])
