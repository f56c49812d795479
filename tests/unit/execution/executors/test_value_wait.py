"""Waiting for a value of a real Dask client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from distributed import Client

from tests.support.waiting import wait_until
from voxk8s.errors import SchedulerLost, WorkerLost
from voxk8s.execution import close_shared_dask_client, quiet_watch
from voxk8s.execution.executors import scheduler_questions, value_wait
from voxk8s.execution.executors.protocol import RunCancelled
from voxk8s.execution.executors.shared_client import get_shared_dask_client
from voxk8s.execution.executors.value_wait import wait_for_value

_go_on = threading.Event()


def _wait() -> bool:
    return _go_on.wait(30)


def _fail() -> None:
    raise TimeoutError("a server did not answer")


def _well() -> None:
    return None


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """The client of this process."""
    yield get_shared_dask_client()
    close_shared_dask_client()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A wait asks soon what became of its task; tasks that wait end with the test."""
    monkeypatch.setattr(quiet_watch, "QUIET_SECONDS", 0.1)
    _go_on.clear()
    yield
    _go_on.set()


def test_the_value_and_the_error_of_a_task_are_its_own(client: Client) -> None:
    """A time-out that a task raises is not one of the wait, nor the loss of its worker."""
    assert wait_for_value(client, client.submit(int, "7"), _well) == 7
    with pytest.raises(TimeoutError, match="a server"):
        wait_for_value(client, client.submit(_fail), _well)


@pytest.mark.parametrize(
    ("check", "is_cancelled", "error"),
    [
        (lambda: "the scheduler is gone", lambda: False, SchedulerLost),
        (_well, lambda: True, RunCancelled),
    ],
)
def test_a_wait_ends_when_no_value_is_to_come(
    client: Client,
    check: Callable[[], str | None],
    is_cancelled: Callable[[], bool],
    error: type[Exception],
) -> None:
    """The scheduler is gone, or the run is cancelled."""
    with pytest.raises(error):
        wait_for_value(client, client.submit(_wait, pure=False), check, is_cancelled)


def test_a_task_that_goes_on_is_waited_for(client: Client) -> None:
    """However often the cluster is asked what became of it."""
    asked: list[bool] = []

    def check() -> None:
        asked.append(True)
        if len(asked) == 3:
            _go_on.set()

    assert wait_for_value(client, client.submit(_wait, pure=False), check) is True


def test_a_task_that_ends_while_the_cluster_is_asked_is_not_lost(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No worker runs it any more when the answers come, and the client knows of its end later."""
    future = client.submit(_wait, pure=False)

    def end(_: Client, keys: list[str]) -> list[str]:
        _go_on.set()
        wait_until(future.done)
        return keys

    monkeypatch.setattr(value_wait, "stalled_tasks", end)
    assert wait_for_value(client, future, _well) is True


def test_a_task_that_the_cluster_has_lost_is_given_up(client: Client) -> None:
    """The scheduler does not know it, and the client does not know that."""
    future = client.submit(_wait, pure=False)
    scheduler = client.cluster.scheduler  # type: ignore[union-attr]
    wait_until(lambda: future.key in scheduler.tasks)
    forgotten = scheduler.tasks.pop(future.key)
    try:
        with pytest.raises(WorkerLost):
            wait_for_value(client, future, _well)
    finally:
        scheduler.tasks[future.key] = forgotten


def test_a_value_of_a_frozen_worker_is_given_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It neither sends the value nor answers the question what it does."""
    monkeypatch.setattr(scheduler_questions, "ANSWER_SECONDS", 0.1)
    future = client.submit(int, "8", pure=False)
    wait_until(future.done)
    scheduler = client.cluster.scheduler  # type: ignore[union-attr]

    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    for name in ("gather", "call_stack"):
        monkeypatch.setitem(scheduler.handlers, name, hang)
    with pytest.raises(WorkerLost):
        wait_for_value(client, future, _well)
