"""What comes back: messages of the executor, and the end of tasks that somebody waits for."""

from __future__ import annotations

import time
from collections.abc import Iterable

from voxk8s.errors import SchedulerLost
from voxk8s.execution.executors import Done, Lost, Message, Reports, Stopped
from voxk8s.execution.outcome import Report
from voxk8s.execution.run.look_up import run_spec_for
from voxk8s.execution.run.recovery import compute_again, start_again
from voxk8s.execution.run.run_context import Course, sharing
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.execution.worker.store_result import adopt_result
from voxk8s.plan import ResultKey

CANCELLED = "the run was cancelled"


class Arrival:
    """Takes the messages of one run; None stands for somebody who has cancelled it."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def take(self, messages: Iterable[Message | None]) -> None:
        """Take messages in their order; raises SchedulerLost when nothing more can come."""
        waiting = self._course.state.waiting
        for message in messages:
            match message:
                case Reports(run, reports):
                    self._course.note(run, reports)
                case Done(task):
                    if task in waiting:
                        self._done(task)
                case Lost(task):
                    if task in waiting:
                        start_again(self._course, message)
                case Stopped(reason):
                    raise SchedulerLost(f"{reason}; what was stored is kept, run again")
                case None:
                    self._course.stop(CANCELLED)

    def _done(self, task: TaskKey) -> None:
        course, state = self._course, self._course.state
        state.waiting.discard(task)
        held = False
        for key in state.watched[task]:
            report = course.ledger.final(key)
            if report is None:
                report = self._inspect(task, key)
                if report.origin and ResultKey(report.origin) not in state.gone:
                    # A failure that an earlier run has left behind says nothing of this one.
                    compute_again(course, ResultKey(report.origin))
                    continue
                course.note(course.name, [report])
            if report.is_recomputable or self._is_recomputable(report.origin):
                compute_again(course, ResultKey(report.origin or key))
                continue
            course.settle(key, report)
            # The value is at hand without the task when it is stored, sent along, or none.
            held = held or not (report.stored or report.value is not None or report.origin)
        if not held:
            with sharing:
                course.session.release([task])

    def _is_recomputable(self, origin: str) -> bool:
        final = self._course.ledger.final(ResultKey(origin)) if origin else None
        return final is not None and final.is_recomputable

    def _inspect(self, task: TaskKey, key: ResultKey) -> Report:
        """Find out about a target that another run has computed."""
        course = self._course
        step = next(step for step in course.state.tasks[task].steps if step.key == key)
        context = run_spec_for(course.name, course.config, time.time())
        return adopt_result(step, context, lambda: course.fetch(key))
