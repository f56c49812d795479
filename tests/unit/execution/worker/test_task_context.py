"""The context of a task."""

from __future__ import annotations

import pickle
from dataclasses import replace
from uuid import uuid4

from tests.support.plans_and_runs import QUICK, fresh_store
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.task_context import Clock, RunSpec, TaskContext

RUN = RunSpec("task-context", "", None, True, True, False, "auto", QUICK, 0.0)


def test_a_run_spec_can_be_pickled() -> None:
    """It travels with each task."""
    assert pickle.loads(pickle.dumps(RUN)) == RUN


def test_tasks_of_a_run_share_one_store() -> None:
    """The store that the first task carries is used by the next ones in this process."""
    first, second = fresh_store(), fresh_store()
    run = replace(RUN, store_token=uuid4().hex, store=first)
    assert TaskContext.create(run).store is first
    assert TaskContext.create(replace(run, store=second)).store is first


def test_pending_reports_are_sent_once() -> None:
    """A flush sends the reports since the last one, and records its time."""
    received: list[Report] = []
    runtime.subscribe(RUN.id, lambda _, reports: received.extend(reports))
    context = TaskContext.create(RUN, Clock(elapsed=iter([1.0, 2.0, 3.0]).__next__))
    assert context.flushed_at == 1.0
    context.report(Report("a" * 64, Status.COMPUTED))
    context.flush()
    context.flush()
    runtime.forget_run(RUN.id)
    assert [report.key for report in received] == ["a" * 64]
    assert context.flushed_at == 3.0
