"""Handles messages of the executor: reports, tasks that ended, and tasks whose worker died.

What cannot be used of the values of tasks is given up here, and planned again by the `Submitter`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from voxk8s.errors import SchedulerLost
from voxk8s.execution.events import WorkerRecovered
from voxk8s.execution.executors.protocol import (
    ExecutorStopped,
    Message,
    Reports,
    TaskDone,
    TaskLost,
)
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.run.run_context import RunContext
from voxk8s.execution.run.run_state import is_failure
from voxk8s.execution.run.task_queue import QueuedTask, TaskState
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.failure import RESULT_GONE, Failure
from voxk8s.plan import ResultKey

logger = logging.getLogger(__name__)

CANCELLED = "the run was cancelled"
LOSS_PAUSE = 1.0
"""Seconds from the death of a worker until its operations are planned again."""


class MessageHandler:
    """Handles the messages of one run; None stands for a request to cancel it."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def handle(self, messages: Iterable[Message | None]) -> None:
        """Handle messages in their order; raises SchedulerLost when the executor is gone."""
        for message in messages:
            match message:
                case Reports(run, reports, counts):
                    if counts is not None and run == self._context.name:
                        self._context.worker_counts += counts
                    self._apply(run, reports)
                case TaskDone(key):
                    task = self._context.state.queue.done(key)
                    if task is not None and task.targets:
                        self._done(task)
                case TaskLost(key):
                    task = self._context.state.queue.find(key)
                    if task is not None and task.state is TaskState.STARTED:
                        self._lost(task, message)
                case ExecutorStopped(reason):
                    raise SchedulerLost(f"{reason}; what was stored is kept, run again")
                case None:
                    self._context.stop(CANCELLED)

    def stalled(self, keys: Iterable[TaskKey]) -> None:
        """Plan tasks again that will never end, although the executor does not say so."""
        queue = self._context.state.queue
        for key in keys:
            task = queue.find(key)
            if task is not None and task.state is TaskState.STARTED:
                logger.warning("task %s was lost without a message; it is started anew", key[:32])
                self._context.tracker.forget(task.group.exports)
                self._context.drop(task)

    def _apply(self, run: str, reports: tuple[Report, ...]) -> None:
        context = self._context
        context.apply_reports(run, reports)
        # All of them first: a task that has lost several results is given up with the first.
        running = context.state.queue.running
        given_up = [
            (report, task)
            for report in reports
            if report.is_recomputable and (task := running(ResultKey(report.key))) is not None
        ]
        for report, task in given_up:
            self._give_up(report, task, is_own=run == context.name)
        for report in reports:
            if report.status in (Status.COMPUTED, Status.FOUND) and run == context.name:
                context.result_computed(ResultKey(report.key), bool(report.stored))

    def _give_up(self, report: Report, task: QueuedTask, *, is_own: bool) -> None:
        """Plan the task of an operation again, which has no value through no fault of its own."""
        context, key = self._context, ResultKey(report.key)
        is_gone = report.failure is not None and report.failure.reason == RESULT_GONE
        is_loss = is_gone and report.origin == key
        if is_loss and key not in task.group.fetches:
            return  # by a task that was given up before: this one computes what that has not found
        context.tracker.forget([key])
        context.drop(task)
        if is_own and report.argument:
            self._give_up_argument(task, ResultKey(report.argument))
        # Another run may read another store; if this one has lost the result too, it will see it.
        if is_loss and is_own:
            context.result_vanished(key)

    def _give_up_argument(self, task: QueuedTask, key: ResultKey) -> None:
        """Give up the value that a task got for an argument, which is a failure.

        It may be one that another run has left behind, of which this one had no report. As long as
        the value is held it would be used again.
        """
        context = self._context
        for need in task.needs:
            if key in need.group.exports and need.state is not TaskState.DROPPED:
                context.tracker.forget([key])
                context.state.settled.pop(key, None)
                context.drop(need)

    def _done(self, task: QueuedTask) -> None:
        context, queue = self._context, self._context.state.queue
        held = False
        for key in task.targets:
            report = context.tracker.finals.get(key)
            if report is None:
                # Another run has computed it, perhaps with another store.
                if queue.adopt(key, context.name[:8]):
                    continue
                context.drop(task)
                return
            if is_failure(report) and not self._is_known(report):
                # The failure was left behind by an earlier run and says nothing of this one.
                context.tracker.forget([key])
                context.drop_all()
                return
            context.settle(key, report)
            held = held or context.is_held_only(key, report)
        if not held:
            queue.settle(task)

    def _is_known(self, report: Report) -> bool:
        return (
            report.status is Status.FAILED
            or ResultKey(report.origin) in self._context.tracker.failed
        )

    def _lost(self, task: QueuedTask, lost: TaskLost) -> None:
        """Try a task whose workers died again, a bounded number of times."""
        context, queue = self._context, self._context.state.queue
        losses = context.state.losses
        culprit = task.key if lost.culprit is None else TaskKey(lost.culprit)
        blamed = queue.find(culprit)
        if blamed is None and not losses.is_counted(culprit):
            culprit, blamed = task.key, task
        is_new = not losses.is_counted(culprit)
        context.state.stale = True
        if blamed is not None:
            if lost.failure.transient and losses.workers_died(culprit, blamed.root):
                if is_new:
                    # Workers that die together are noticed one by one: what is tried again at once
                    # may go to another one that is dead already.
                    context.state.calm_at = time.monotonic() + LOSS_PAUSE
                    text = f"task {culprit[:32]}: {lost.failure.message}; it is retried"
                    logger.warning(text)
                    context.dispatch(WorkerRecovered(text))
            else:
                self._fail(blamed.root, lost.failure)
            context.drop(blamed)
        context.drop(task)

    def _fail(self, key: ResultKey, failure: Failure) -> None:
        context = self._context
        context.state.stale = True
        context.apply_reports(context.name, [context.tracker.failure_report(key, failure)])
