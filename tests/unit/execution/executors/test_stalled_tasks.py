"""Tasks that a real scheduler has lost, or whose worker does not go on with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from distributed import Client, LocalCluster

from tests.support.waiting import wait_until
from voxk8s.execution import close_shared_dask_client
from voxk8s.execution.executors.shared_client import get_shared_dask_client
from voxk8s.execution.executors.stalled_tasks import stalled_tasks
from voxk8s.execution.tasks.task import TaskKey

RUNNING, NEXT, QUEUED, UNKNOWN = map(TaskKey, ("running", "next", "queued", "unknown"))

_go_on = threading.Event()


def _wait() -> bool:
    return _go_on.wait(30)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of one worker with one thread."""
    close_shared_dask_client()
    monkeypatch.setenv("VOXLOGICA_DASK_THREADS", "1")
    yield get_shared_dask_client()
    close_shared_dask_client()


def test_only_tasks_that_nobody_goes_on_with_are_stalled(client: Client) -> None:
    """Not one that runs, one that waits for it, or one that waits for a thread."""
    _go_on.clear()
    running = client.submit(_wait, key=RUNNING)
    wait_until(lambda: any(client.call_stack().values()))
    others = [
        client.submit(bool, running, key=NEXT),
        client.submit(bool, 1, key=QUEUED),
    ]
    wait_until(lambda: any(QUEUED in placed for placed in client.processing().values()))
    assert stalled_tasks(client, [RUNNING, NEXT, QUEUED, UNKNOWN]) == [UNKNOWN]
    _go_on.set()
    assert [future.result(30) for future in others] == [True, True]
    assert stalled_tasks(client, []) == []


def test_a_task_that_its_worker_has_forgotten_is_stalled_with_those_that_wait_for_it(
    client: Client,
) -> None:
    """The worker has a free thread and does not run it."""
    scheduler = client.cluster.scheduler  # type: ignore[union-attr]
    [worker] = client.cluster.workers.values()  # type: ignore[union-attr]
    worker.stream_handlers["compute-task"] = lambda **_: None
    lost = client.submit(bool, 1, key=RUNNING)
    waiting = client.submit(bool, lost, key=NEXT)
    wait_until(lambda: NEXT in scheduler.tasks)
    assert scheduler.tasks[RUNNING].state == "processing"
    assert stalled_tasks(client, [RUNNING, NEXT]) == [RUNNING, NEXT]
    assert not waiting.done()


def test_a_task_that_waits_for_a_resource_is_not_stalled() -> None:
    """Its worker has a free thread, and another task has the GPU."""
    _go_on.clear()
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None,
            resources={"GPU": 1},
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        keys = [RUNNING, NEXT]
        both = [client.submit(_wait, key=key, pure=False, resources={"GPU": 1}) for key in keys]
        wait_until(lambda: any(client.call_stack().values()))
        wait_until(lambda: sum(map(len, client.processing().values())) == 2)
        assert stalled_tasks(client, keys, needing=keys) == []
        assert stalled_tasks(client, keys) != []
        _go_on.set()
        assert client.gather(both) == [True, True]
