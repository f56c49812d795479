"""A run goes on although the executor loses its tasks, or messages about them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.plans_and_runs import PlanMaker, Unfused, engine_on, fresh_store, write_image
from voxk8s import compile_program
from voxk8s.errors import SchedulerLost, WorkerLost
from voxk8s.execution import close_shared_dask_client, get_shared_dask_client, quiet_watch
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.execution.executors.protocol import Message, Reports, Send, Session, TaskDone
from voxk8s.execution.run import pin_inputs
from voxk8s.execution.run.message_handler import CANCELLED
from voxk8s.execution.tasks.task import TaskKey


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


class _Forgetful:
    """An executor whose workers lose values of goals before the run fetches them."""

    name = "threads"
    is_local = True

    def __init__(self, losses: int) -> None:
        self.left = losses

    def start(self, run: str, send: Send) -> Session:
        """Start a run."""
        session: Any = find_executor(self.name).start(run, send)
        fetch = session.fetch

        def fetch_or_lose(key: TaskKey) -> object:
            self.left -= 1
            if self.left >= 0:
                raise WorkerLost("its worker is gone")
            return fetch(key)

        session.fetch = fetch_or_lose
        return session  # type: ignore[no-any-return]


def _long_list() -> PlanMaker:
    make = PlanMaker()
    make.show("x", make("test.identity", make("sequence", *map(math.sin, range(1500)))))
    return make


def test_a_value_that_is_lost_with_its_worker_is_computed_again() -> None:
    """It is too long for a message, and no store has it."""
    executor: Any = _Forgetful(2)
    engine = engine_on(fresh_store(), executor, cache="bypass")
    result = engine.execute_workplan(_long_list().plan())
    assert result["x"] == [math.sin(number) for number in range(1500)]
    assert executor.left < 0


def test_goals_of_a_task_whose_value_is_lost_are_computed_again_together() -> None:
    """Its other goals were there already; their values go with the task that had them all."""
    make = PlanMaker()
    lists = [[math.sin(number + place / 7) for place in range(1500)] for number in range(40)]
    for number, numbers in enumerate(lists):
        make.show(f"x{number}", make("sequence", *numbers))
    executor: Any = _Forgetful(1)
    result = engine_on(fresh_store(), executor, cache="bypass").execute_workplan(make.plan())
    assert executor.left < 0
    assert list(result.values()) == lists


def test_a_value_that_is_lost_every_time_ends_the_run() -> None:
    """With an error that says so, which a restart may mend."""
    engine = engine_on(fresh_store(), cast("Any", _Forgetful(1000)), cache="bypass")
    with pytest.raises(SchedulerLost, match="again and again"):
        engine.execute_workplan(_long_list().plan())


_reads, _may_end = threading.Event(), threading.Event()


def _read_for_long(*_: object) -> None:
    _reads.set()
    _may_end.wait(30)


def test_a_run_that_waits_for_its_inputs_can_be_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers read large files, by whose content results are named."""
    monkeypatch.setattr(pin_inputs, "digest_task", _read_for_long)
    path = write_image(tmp_path / "a.nii.gz")
    plan = compile_program(f'load i = "{path}"\nprint "i" i', name="a.imgql")
    engine = engine_on(fresh_store(), DistributedExecutor(get_shared_dask_client()))

    def cancel() -> None:
        _reads.wait(30)
        engine.cancel()

    cancelling = threading.Thread(target=cancel)
    cancelling.start()
    result = engine.execute_workplan(plan)
    cancelling.join()
    assert result.cancelled
    assert not _may_end.is_set()
    _may_end.set()
    assert [str(goal.failure and goal.failure.message) for goal in result.goals] == [CANCELLED]
