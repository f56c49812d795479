"""Messages of an executor: lost workers, vanished results, cancellation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from tests.support.plans_and_runs import PlanMaker, fresh_store
from voxk8s.errors import KernelError, SchedulerLost, WorkerLost
from voxk8s.execution.events import Event, OperationFailed, WorkerRecovered
from voxk8s.execution.executors.protocol import (
    ExecutorStopped,
    Message,
    Reports,
    TaskDone,
    TaskLost,
)
from voxk8s.execution.executors.synchronous import SynchronousExecutor, SynchronousSession
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.run.losses import MAX_RECOMPUTATIONS, MAX_WORKER_LOSSES
from voxk8s.execution.run.message_handler import (
    CANCELLED,
    MessageHandler,
)
from voxk8s.execution.run.run_context import EventDispatcher, RunContext
from voxk8s.execution.run.run_state import RunState
from voxk8s.execution.run.submit import Submitter
from voxk8s.execution.run.task_queue import QueuedTask, TaskState
from voxk8s.execution.run_config import RunConfig
from voxk8s.execution.source_locations import NO_LOCATIONS
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.scheduling import DefaultPolicy
from voxk8s.execution.tasks.task import TaskKey, TaskOptions
from voxk8s.failure import CANCELLED as RUN_CANCELLED
from voxk8s.failure import RESULT_GONE, Failure, failure_of
from voxk8s.kernels import registry
from voxk8s.plan import ResultKey, key_graph
from voxk8s.storage import Counts

OPTIONS = TaskOptions(goals=(), must_store=(), cheap=())


class IdleSession(SynchronousSession):
    """A session that runs nothing: tasks stay pending."""

    def submit(self, *_: object, **__: object) -> None:
        """Accept tasks and never run them."""


class IdleExecutor(SynchronousExecutor):
    """An executor whose tasks never end."""

    def start(self, run: str, send: Callable[[Message], None]) -> IdleSession:
        """Start a run."""
        return IdleSession(run, send)


@pytest.fixture
def events() -> list[Event]:
    """The events of the run."""
    return []


@pytest.fixture
def context(events: list[Event]) -> Iterator[RunContext]:
    """A run of one operation that is submitted and pending.

    Its name is its own: a process remembers which runs were cancelled.
    """
    make = PlanMaker()
    make.show("x", make("addition", 1.0, 2.0))
    context = RunContext(
        uuid4().hex,
        RunConfig.from_options(fresh_store(), IdleExecutor(), {}),
        RunState(key_graph(make.plan(), registry())),
        EventDispatcher([events.append]),
        NO_LOCATIONS,
        lambda _: None,
        None,
    )
    _plan(context)
    yield context
    context.close()


def _plan(context: RunContext) -> None:
    submitter = Submitter(context)
    submitter.plan_missing()
    submitter.feed()


def _task(context: RunContext) -> TaskKey:
    task = context.state.queue.producer(_key(context))
    assert task is not None
    return task.key


def _key(context: RunContext) -> ResultKey:
    [key] = context.state.targets()
    return key


def _dead(task: TaskKey) -> TaskLost:
    return TaskLost(task, failure_of(WorkerLost("2 workers died")), culprit=task)


def test_a_lost_task_is_retried_and_then_fails(context: RunContext, events: list[Event]) -> None:
    """A task that kills its workers again and again fails its operation."""
    for _ in range(MAX_WORKER_LOSSES):
        MessageHandler(context).handle([_dead(_task(context))])
        assert context.state.stale
        _plan(context)
    assert [type(event) for event in events].count(WorkerRecovered) == MAX_WORKER_LOSSES
    MessageHandler(context).handle([_dead(_task(context))])
    [failed] = [event for event in events if isinstance(event, OperationFailed)]
    assert failed.failure.cause == "WorkerLost: 2 workers died"


def test_one_loss_counts_once(context: RunContext, events: list[Event]) -> None:
    """However often it is reported."""
    task = _task(context)
    MessageHandler(context).handle([_dead(task)] * 9)
    assert [type(event) for event in events].count(WorkerRecovered) == 1


def test_a_permanent_loss_is_not_retried(context: RunContext, events: list[Event]) -> None:
    """A task that the executor cannot run fails at once."""
    MessageHandler(context).handle([TaskLost(_task(context), failure_of(KernelError("too large")))])
    assert not any(isinstance(event, WorkerRecovered) for event in events)
    assert any(isinstance(event, OperationFailed) for event in events)


def test_what_another_run_left_cancelled_is_planned_again(
    context: RunContext, events: list[Event]
) -> None:
    """It is no failure of this run, and does not count."""
    failure = Failure("the run was cancelled", RUN_CANCELLED)
    for _ in range(9):
        key = _key(context)
        skipped = Report(key, Status.SKIPPED, origin=key, failure=failure)
        MessageHandler(context).handle([Reports("another run", (skipped,))])
        assert context.state.stale
        _plan(context)
    assert not any(isinstance(event, OperationFailed) for event in events)


def test_messages_of_other_tasks_are_ignored(context: RunContext, events: list[Event]) -> None:
    """A task that this run does not wait for changes nothing."""
    before = list(events)
    MessageHandler(context).handle([TaskLost(TaskKey("other"), failure_of(WorkerLost("died")))])
    assert events == before


def test_a_cancelled_run_is_stopped(context: RunContext) -> None:
    """None is the request to cancel; the first reason is kept."""
    MessageHandler(context).handle([None])
    context.stop("later")
    assert context.stopped == CANCELLED


def test_an_executor_that_is_gone_ends_the_run(context: RunContext) -> None:
    """The error says that stored results are kept."""
    with pytest.raises(SchedulerLost, match="closed; what was stored is kept"):
        MessageHandler(context).handle([ExecutorStopped("closed")])


def test_counts_of_workers_are_added_up(context: RunContext) -> None:
    """Those of other runs are theirs."""
    mine = Reports(context.name, (), Counts(hits=2, bytes_read=10))
    theirs = Reports("another run", (), Counts(hits=100))
    MessageHandler(context).handle([mine, theirs, mine])
    assert context.worker_counts == Counts(hits=4, bytes_read=20)


def test_what_another_run_could_not_do_does_not_undo_an_adoption(context: RunContext) -> None:
    """Its report on the same operation may come between the adoption and its end."""
    handler, key = MessageHandler(context), _key(context)
    handler.handle([TaskDone(_task(context))])
    Submitter(context).feed()
    adoption = _task(context)
    assert adoption.startswith("adopt-")
    found = Report(key, Status.FOUND, stored="exists")
    failure = Failure("the run was cancelled", RUN_CANCELLED)
    skipped = Report(key, Status.SKIPPED, origin=key, failure=failure)
    handler.handle(
        [
            Reports(context.name, (found,)),
            Reports("another run", (skipped,)),
            TaskDone(adoption),
        ]
    )
    assert context.state.settled == {key: found}


def test_a_task_that_ends_without_a_report_is_planned_again(context: RunContext) -> None:
    """It has been adopted already."""
    for _ in range(2):
        MessageHandler(context).handle([TaskDone(_task(context))])
        Submitter(context).feed()
    assert context.state.stale
    _plan(context)
    assert _task(context).startswith("default.addition-")


@pytest.mark.parametrize("stored", ["", "created"])
def test_a_goal_is_reached_no_more_when_its_only_value_is_given_up(
    context: RunContext, stored: str
) -> None:
    """A value in the store outlives the task that is blamed for the death of another one."""
    queue, key, other = context.state.queue, _key(context), ResultKey("other")
    blamed, handler = _task(context), MessageHandler(context)
    group = FusionGroup([], [other], [other])
    queue.add([group], context.state.graph.nodes, OPTIONS, DefaultPolicy())
    [victim] = queue.take(2)
    report = Report(key, Status.COMPUTED, stored=stored)
    handler.handle([Reports(context.name, (report,)), TaskDone(blamed)])
    assert context.state.settled == {key: report}
    queue.hold(frozenset([key]))
    failure = failure_of(WorkerLost("2 workers died"))
    handler.handle([TaskLost(victim.key, failure, culprit=blamed)])
    assert context.state.settled == ({key: report} if stored else {})


def test_a_goal_is_reached_no_more_when_a_goal_of_its_task_has_no_report(
    context: RunContext,
) -> None:
    """What ended first of a task that another run has computed goes with the rest."""
    queue, key, other = context.state.queue, _key(context), ResultKey("other")
    queue.drop_all("")
    options = TaskOptions(goals=(key, other), must_store=(), cheap=())
    group = FusionGroup([], [key, other], [key, other])
    queue.add([group], context.state.graph.nodes, options, DefaultPolicy())
    [task] = queue.take(1)
    task.options = None  # it has been adopted already
    report = Report(key, Status.COMPUTED)
    MessageHandler(context).handle([Reports(context.name, (report,)), TaskDone(task.key)])
    assert task.state is TaskState.DROPPED
    assert context.state.settled == {}


def _gone(context: RunContext, key: ResultKey) -> Reports:
    failure = Failure("the record is not in the store any more", RESULT_GONE)
    report = Report(key, Status.FAILED, origin=key, failure=failure)
    return Reports(context.name, (report,))


def test_all_results_that_a_task_has_lost_count(context: RunContext) -> None:
    """Not only the first: a run that reads the others again and again may need very long."""
    queue, key = context.state.queue, _key(context)
    queue.drop_all("")
    lost = [ResultKey("one"), ResultKey("two")]
    queue.add([FusionGroup([], [key], lost)], context.state.graph.nodes, OPTIONS, DefaultPolicy())
    queue.take(1)
    failure = Failure("gone", RESULT_GONE)
    reports = tuple(Report(each, Status.FAILED, origin=each, failure=failure) for each in lost)
    MessageHandler(context).handle([Reports(context.name, reports)])
    assert [context.state.losses.is_missing(each) for each in lost] == [True, True]


def test_the_value_of_an_argument_that_is_a_failure_is_given_up(context: RunContext) -> None:
    """Only by a report of the run itself: tasks of others may have had another value."""
    queue, key = context.state.queue, _key(context)
    queue.drop_all("")
    argument = ResultKey("argument")
    queue.add(
        [FusionGroup([], [argument], [argument])],
        context.state.graph.nodes,
        OPTIONS,
        DefaultPolicy(),
    )
    [need] = queue.take(1)
    handler = MessageHandler(context)
    for run, is_kept in (("another run", True), (context.name, False)):
        queue.hold(frozenset([argument]))
        user = QueuedTask(TaskKey(f"for {run}"), FusionGroup([key], [key]), (need,), (), OPTIONS, 0)
        queue._insert(user)
        queue._start(user)
        handler.handle([TaskDone(need.key)])
        failure = Failure("gone", RESULT_GONE)
        skipped = Report(key, Status.SKIPPED, origin=argument, failure=failure, argument=argument)
        handler.handle([Reports(run, (skipped,))])
        assert user.state is TaskState.DROPPED
        assert (queue.producer(argument) is need) == is_kept


def test_a_late_report_of_a_loss_does_not_stop_the_task_that_makes_up_for_it(
    context: RunContext,
) -> None:
    """A task that was given up may still run, and find what is computed meanwhile missing."""
    task = _task(context)
    MessageHandler(context).handle([_gone(context, _key(context))] * 9)
    assert _task(context) == task
    assert not context.state.losses.is_missing(_key(context))


def test_a_result_that_is_lost_more_often_than_counted_is_planned_again(
    context: RunContext, events: list[Event]
) -> None:
    """Tasks that were to read it may report that at any time: it is no failure."""
    key = _key(context)
    for _ in range(2 * MAX_RECOMPUTATIONS):
        context.state.queue.drop_all(uuid4().hex)
        group = FusionGroup([], [key], [key])
        context.state.queue.add([group], context.state.graph.nodes, OPTIONS, DefaultPolicy())
        context.state.queue.take(9)
        MessageHandler(context).handle([_gone(context, key)])
        context.result_computed(key, stored=True)
        assert context.state.stale
    assert context.state.losses.is_unreliable(key)
    assert not any(isinstance(event, OperationFailed) for event in events)
