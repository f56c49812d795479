"""The executor on threads of this process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.support.scripted_tasks import Inbox, key, run_spec, script, task
from voxk8s.execution.executors.protocol import Executor, Reports, TaskDone
from voxk8s.execution.executors.task_pool import TaskPool
from voxk8s.execution.executors.threads import ThreadsExecutor, ThreadsSession
from voxk8s.execution.worker import runtime

RUN = run_spec("threads")


@pytest.fixture
def inbox() -> Inbox:
    """The messages of the session."""
    return Inbox()


@pytest.fixture
def session(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadsSession]:
    """A session on two threads of its own."""
    monkeypatch.setenv("VOXLOGICA_DASK_THREADS", "2")
    session = ThreadsExecutor(TaskPool()).start(RUN.id, inbox)
    yield session
    session.close()


def test_it_is_an_executor() -> None:
    """It runs tasks in this process, under its name."""
    executor = ThreadsExecutor()
    assert isinstance(executor, Executor)
    assert (executor.name, executor.is_local) == ("threads", True)


def test_reports_come_before_the_end_of_a_task(session: ThreadsSession, inbox: Inbox) -> None:
    """The values of tasks are there when they are done."""
    script("x", lambda: 2.0)
    session.submit([task("x")], RUN)
    inbox.wait("x")
    assert [type(message) for message in inbox.messages] == [Reports, TaskDone]
    assert session.fetch(key("x")) == 2.0


def test_the_setting_of_the_environment_is_the_number_of_threads(
    session: ThreadsSession, inbox: Inbox
) -> None:
    """Two tasks meet at a barrier on two threads."""
    barrier = threading.Barrier(2)
    for name in ("x", "y"):
        script(name, lambda: barrier.wait(30) * 0.0)
    assert session.parallelism == 2
    session.submit([task("x"), task("y")], RUN)
    inbox.wait("x", "y")


def test_a_task_that_sleeps_long_gives_its_thread_to_others(
    session: ThreadsSession, inbox: Inbox
) -> None:
    """More tasks meet at a barrier than there are threads."""
    barrier = threading.Barrier(3)

    def meet() -> float:
        with runtime.seceded():
            return barrier.wait(30) * 0.0

    for name in "xyz":
        script(name, meet)
    session.submit([task(name) for name in "xyz"], RUN)
    inbox.wait(*"xyz")


def test_map_runs_calls_in_parallel_and_returns_exceptions(session: ThreadsSession) -> None:
    """A call that raises does not prevent the others; the values are in the order of the calls."""
    barrier = threading.Barrier(2)

    def meet(number: int) -> int:
        barrier.wait(30)
        return 6 // number

    first, second = session.map(meet, [(0,), (2,)])
    assert isinstance(first, ZeroDivisionError)
    assert second == 3
    [alone] = session.map(divmod, [(1, 0)])
    assert isinstance(alone, ZeroDivisionError)


def test_a_cancelled_session_takes_no_tasks(session: ThreadsSession, inbox: Inbox) -> None:
    """Values that are there can still be fetched."""
    script("x", lambda: 2.0)
    session.submit([task("x")], RUN)
    inbox.wait("x")
    session.cancel()
    session.submit([task("y")], RUN)
    assert session.fetch(key("x")) == 2.0
    assert inbox.done == [key("x")]


def test_a_closed_session_holds_nothing(session: ThreadsSession, inbox: Inbox) -> None:
    """Its values are released."""
    script("x", lambda: 2.0)
    session.submit([task("x")], RUN)
    inbox.wait("x")
    session.close()
    with pytest.raises(KeyError):
        session.fetch(key("x"))


def test_a_forked_process_is_told(session: ThreadsSession) -> None:
    """A session of its parent has no threads there; a new one has."""
    assert session.check() is None
    session._pool.reset_after_fork()
    assert "forked" in (session.check() or "")
    session.submit([task("x")], RUN)
    session.close()


_FORK = """
import os, sys
from tests.support.scripted_tasks import Inbox, run_spec, script, task
from voxk8s.execution.executors.threads import ThreadsExecutor

def run(name):
    inbox = Inbox()
    session = ThreadsExecutor().start(name, inbox)
    script("x", lambda: 2.0)
    session.submit([task("x")], run_spec(name))
    inbox.wait("x")
    session.close()

run("parent")
child = os.fork()
run("child" if child == 0 else "parent again")
if child == 0:
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


def test_a_forked_process_has_threads_of_its_own() -> None:
    """A run in a child of a process that has run something ends, and so does the next one here."""
    subprocess.run([sys.executable, "-c", _FORK], check=True, timeout=60)
