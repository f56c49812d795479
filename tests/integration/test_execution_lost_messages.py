"""A run goes on although the executor loses its tasks, or messages about them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.plans_and_runs import PlanMaker, Unfused, engine_on, fresh_store
from voxk8s.execution import close_shared_dask_client
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.protocol import Message, Reports, Send, Session, TaskDone
from voxk8s.execution.run import quiet_watch


class Lossy:
    """An executor that loses what the test says, of the first tasks only."""

    is_local = True

    def __init__(self, name: str, lost: str) -> None:
        self.name = name
        self._lost = lost
        self.left = 3
        """How many are still to be lost."""

    def start(self, run: str, send: Send) -> Session:
        """Start a run."""

        def send_most(message: Message) -> None:
            kind = TaskDone if self._lost == "ends" else Reports
            if self._lost in ("ends", "reports") and isinstance(message, kind) and self._loses():
                return
            send(message)

        session: Any = find_executor(self.name).start(run, send_most)
        submit: Callable[..., None] = session.submit

        def submit_most(tasks: Any, *rest: Any) -> None:
            if self._lost == "tasks":
                tasks = [task for task in tasks if task.upstream or not self._loses()]
            submit(tasks, *rest)

        if self._lost == "tasks":
            session.submit = submit_most
        return session  # type: ignore[no-any-return]

    def _loses(self) -> bool:
        self.left -= 1
        return self.left >= 0


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run asks soon."""
    monkeypatch.setenv("VOXK8S_TEST_KERNELS", "1")
    monkeypatch.setattr(quiet_watch, "QUIET_SECONDS", 0.3)
    yield
    close_shared_dask_client()


@pytest.mark.parametrize("name", ["local", "threads"])
@pytest.mark.parametrize("lost", ["ends", "reports", "tasks"])
def test_what_is_lost_is_a_delay(name: str, lost: str) -> None:
    """Ends of tasks, reports of operations, or the tasks themselves."""
    make = PlanMaker()
    for number in range(6):
        make.show(f"x{number}", make("addition", make("test.identity", float(number)), 1.0))
    executor = Lossy(name, lost)
    engine = engine_on(fresh_store(), executor, scheduling=Unfused())
    hang = threading.Timer(40, engine.cancel)
    hang.start()
    result = engine.execute_workplan(make.plan())
    hang.cancel()
    assert executor.left < 0
    assert [goal.failure for goal in result.goals] == [None] * 6
    assert list(result.values()) == [number + 1.0 for number in range(6)]
