"""The Dask client that all runs of a process share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.waiting import wait_until
from voxk8s.errors import InvalidUsage
from voxk8s.execution.executors.shared_client import (
    close_shared_dask_client,
    get_shared_dask_client,
)


@pytest.fixture(autouse=True)
def no_client() -> Iterator[None]:
    """There is no shared client before and after a test."""
    close_shared_dask_client()
    yield
    close_shared_dask_client()


def test_every_call_returns_the_same_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads and the memory limit are those of the environment."""
    monkeypatch.setenv("VOXLOGICA_DASK_THREADS", "3")
    monkeypatch.setenv("VOXLOGICA_DASK_MEMORY", "1GB")
    client = get_shared_dask_client()
    assert get_shared_dask_client() is client
    [worker] = client.scheduler_info()["workers"].values()
    assert (worker["nthreads"], worker["memory_limit"]) == (3, 10**9)


def test_few_messages_are_kept_with_the_tasks_in_them() -> None:
    """Dask logs messages to workers with their tasks, each of which may be large."""
    client = get_shared_dask_client()
    for number in range(50):
        client.submit(int, number, pure=False).result()
    assert client.cluster is not None
    [stream] = client.cluster.scheduler.stream_comms.values()
    assert stream.message_count > 50
    assert len(stream.recent_message_log) <= 20


def test_a_closed_client_is_replaced() -> None:
    """After the client was closed the next call creates another one."""
    first = get_shared_dask_client()
    first.close()
    second = get_shared_dask_client()
    assert second is not first
    assert second.submit(int, 3).result() == 3


def test_a_client_whose_loop_has_ended_is_replaced() -> None:
    """A client whose loop was stopped is not returned again (in another process)."""
    program = """
import time, voxk8s
first = voxk8s.get_shared_dask_client()
first.loop.add_callback(first.loop.stop)
while not first.loop.asyncio_loop.is_closed():
    time.sleep(0.01)
second = voxk8s.get_shared_dask_client()
print(second is not first and second.submit(int, 3).result(), flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "3\n"


def test_an_invalid_memory_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the environment variable."""
    monkeypatch.setenv("VOXLOGICA_DASK_MEMORY", "lots")
    with pytest.raises(InvalidUsage, match="2GB in VOXLOGICA_DASK_MEMORY, got 'lots'"):
        get_shared_dask_client()


def test_a_dashboard_replaces_an_idle_client(caplog: pytest.LogCaptureFixture) -> None:
    """A busy client is kept, with a warning."""
    busy = get_shared_dask_client()
    future = busy.submit(int, 5)
    assert get_shared_dask_client(enable_dashboard=True) is busy
    assert "without a dashboard" in caplog.text
    del future
    wait_until(lambda: not busy.futures)
    shown = get_shared_dask_client(enable_dashboard=True)
    assert shown is not busy
    assert shown.dashboard_link
    assert get_shared_dask_client() is shown
