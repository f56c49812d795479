"""Handles messages of the executor: reports, tasks that ended, and tasks whose worker died.

All results that vanished from the store are requeued here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from voxk8s.errors import SchedulerLost, StoreError
from voxk8s.execution.events import WorkerRecovered
from voxk8s.execution.executors.protocol import (
    ExecutorStopped,
    Message,
    Reports,
    TaskDone,
    TaskLost,
)
from voxk8s.execution.operation_reports import Report
from voxk8s.execution.run.run_context import RunContext, submit_lock
from voxk8s.execution.run.run_spec import run_spec
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.execution.worker.store_result import adopt_result
from voxk8s.failure import Failure, failure_of
from voxk8s.plan import ResultKey

logger = logging.getLogger(__name__)

CANCELLED = "the run was cancelled"
MAX_LOST_ATTEMPTS = 1
"""How often a task is retried after the workers that ran it died."""
MAX_RECOMPUTATIONS = 3
"""How often a result is recomputed because it vanished from the store."""


class MessageHandler:
    """Handles the messages of one run; None stands for a request to cancel it."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def handle(self, messages: Iterable[Message | None]) -> None:
        """Handle messages in their order; raises SchedulerLost when the executor is gone."""
        pending = self._context.state.pending
        for message in messages:
            match message:
                case Reports(run, reports):
                    self._context.apply_reports(run, reports)
                case TaskDone(task):
                    if task in pending:
                        self._done(task)
                case TaskLost(task):
                    if task in pending:
                        self._lost(message)
                case ExecutorStopped(reason):
                    raise SchedulerLost(f"{reason}; what was stored is kept, run again")
                case None:
                    self._context.stop(CANCELLED)

    def _done(self, task: TaskKey) -> None:
        context, state = self._context, self._context.state
        state.pending.discard(task)
        held = False
        for key in state.watched[task]:
            report = context.tracker.finals.get(key)
            if report is None:
                report = self._inspect(task, key)
                if report.origin and ResultKey(report.origin) not in state.vanished:
                    # The failure was left behind by an earlier run and says nothing of this one.
                    self._recompute(ResultKey(report.origin))
                    continue
                context.apply_reports(context.name, [report])
            if report.is_recomputable or self._is_recomputable(report.origin):
                self._recompute(ResultKey(report.origin or key))
                continue
            context.settle(key, report)
            # The task's value is needed only if it is neither stored nor in the report.
            held = held or not (report.stored or report.value is not None or report.origin)
        if not held:
            with submit_lock:
                context.session.release([task])

    def _lost(self, lost: TaskLost) -> None:
        """Retry a task whose workers died, a bounded number of times."""
        context, state = self._context, self._context.state
        state.pending.discard(lost.key)
        context.session.release([lost.key])
        known = lost.culprit is not None and lost.culprit in state.tasks
        blamed = TaskKey(lost.culprit) if lost.culprit is not None and known else lost.key
        state.lost_attempts[blamed] = state.lost_attempts.get(blamed, 0) + 1
        state.stale = True
        # Where the culprit is not known, another task may have killed the worker: retry more often.
        limit = MAX_LOST_ATTEMPTS if known else 3 * MAX_LOST_ATTEMPTS
        if lost.failure.transient and state.lost_attempts[blamed] <= limit:
            text = f"task {blamed[:12]}: {lost.failure.message}; it is retried"
            logger.warning(text)
            context.dispatch(WorkerRecovered(text))
        else:
            self._fail(ResultKey(state.tasks[blamed].steps[-1].key), lost.failure)

    def _recompute(self, key: ResultKey) -> None:
        if not requeue_missing(self._context, [key]):
            self._context.state.stale = True
            self._fail(key, failure_of(StoreError("the store keeps losing this result")))

    def _fail(self, key: ResultKey, failure: Failure) -> None:
        context = self._context
        context.apply_reports(context.name, [context.tracker.failure_report(key, failure)])

    def _is_recomputable(self, origin: str) -> bool:
        final = self._context.tracker.finals.get(ResultKey(origin)) if origin else None
        return final is not None and final.is_recomputable

    def _inspect(self, task: TaskKey, key: ResultKey) -> Report:
        """Return a report on a target that another run has computed."""
        context = self._context
        step = next(step for step in context.state.tasks[task].steps if step.key == key)
        spec = run_spec(context.name, context.config, time.time())
        return adopt_result(step, spec, lambda: context.fetch(key))


def requeue_missing(context: RunContext, keys: Iterable[ResultKey]) -> bool:
    """Recompute results that vanished from the store, each a bounded number of times.

    Returns whether any of them is recomputed. The tracker forgets them, so that the store, which
    may still list them, is not believed before this run has stored them again.
    """
    state = context.state
    again = [key for key in dict.fromkeys(keys) if state.vanished.get(key, 0) < MAX_RECOMPUTATIONS]
    for key in again:
        logger.warning("the result %s vanished from the store; it is recomputed", key)
        state.vanished[key] = state.vanished.get(key, 0) + 1
        state.settled.pop(key, None)
        state.stale = True
        context.tracker.forget([key])
    return bool(again)
