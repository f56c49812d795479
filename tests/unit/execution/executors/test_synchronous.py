"""The synchronous executor: tasks in the calling thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.plans_and_runs import QUICK
from voxk8s.execution.executors.protocol import Message, Reports, TaskDone
from voxk8s.execution.executors.synchronous import SynchronousExecutor, SynchronousSession
from voxk8s.execution.tasks.task import Step, StepKind, StepRule, TaskKey, TaskSpec, UpstreamRef
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.plan import ResultKey
from voxk8s.plan.kernel_version import numbered

RUN = RunSpec("synchronous", "", None, False, False, False, "goals", QUICK, 0.0)
A, B = TaskKey("a" * 64), TaskKey("b" * 64)


def _addition(key: TaskKey, number: float, *upstream: TaskKey) -> TaskSpec:
    """Return a task that adds a constant to the value of another task, or to itself."""
    references = tuple(UpstreamRef(each, ResultKey(each), True) for each in upstream)
    last = len(references)
    rule = StepRule(StepKind.COMPUTE, "default.addition", numbered(1), cheap=True)
    step = Step(key, rule, (0, last))
    return TaskSpec(key, (number,), references, (step,), (last + 1,))


TASKS = [_addition(A, 1.0), _addition(B, 5.0, A)]


@pytest.fixture
def messages() -> list[Message]:
    """The messages of the session."""
    return []


@pytest.fixture
def session(messages: list[Message]) -> Iterator[SynchronousSession]:
    """A session of the run."""
    session = SynchronousExecutor().start(RUN.id, messages.append)
    yield session
    session.close()


def test_tasks_are_reported_and_held(session: SynchronousSession, messages: list[Message]) -> None:
    """The report of an operation comes before the message that its task is done."""
    session.submit(TASKS, RUN)
    assert [type(message) for message in messages] == [Reports, TaskDone] * 2
    assert session.fetch(B) == 7.0


def test_released_values_are_gone(session: SynchronousSession) -> None:
    """A value is held until it is released."""
    session.submit(TASKS, RUN)
    assert session.fetch(A) == 2.0
    session.release([A])
    with pytest.raises(KeyError):
        session.fetch(A)


def test_a_task_may_depend_on_one_of_an_earlier_call(session: SynchronousSession) -> None:
    """Its value is held until then."""
    for task in TASKS:
        session.submit([task], RUN)
    assert session.fetch(B) == 7.0


def test_nothing_runs_after_a_cancellation(
    session: SynchronousSession, messages: list[Message]
) -> None:
    """A cancelled session runs no task."""
    session.cancel()
    session.submit(TASKS, RUN)
    assert messages == []


def test_map_returns_exceptions(session: SynchronousSession) -> None:
    """A call that raises does not prevent the others."""
    good, bad = session.map(divmod, [(7, 2), (7, 0)])
    assert good == (3, 1)
    assert isinstance(bad, ZeroDivisionError)
