"""The executors on Dask: which client each of them uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from distributed import Client

from voxk8s.execution import close_shared_dask_client, get_shared_dask_client
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.dask_executors import DistributedExecutor, LocalExecutor
from voxk8s.execution.executors.shared_client import has_shared_dask_client


@pytest.fixture(autouse=True)
def no_client() -> Iterator[None]:
    """There is no shared client before and after a test."""
    close_shared_dask_client()
    yield
    close_shared_dask_client()


def test_the_local_executor_creates_the_shared_client_at_its_first_run() -> None:
    """Finding the executor creates no client; a session runs on the threads of the shared one."""
    executor = find_executor("local")
    assert isinstance(executor, LocalExecutor)
    assert not has_shared_dask_client()
    session = executor.start("run", lambda _: None)
    assert has_shared_dask_client()
    assert session.parallelism == 4
    session.close()


def test_the_distributed_executor_uses_the_given_client() -> None:
    """It runs functions on the workers of that client and creates no other one."""
    with Client(
        processes=False, n_workers=1, threads_per_worker=3, dashboard_address=":0"
    ) as client:
        session = DistributedExecutor(client).start("run", lambda _: None)
        assert session.parallelism == 3
        assert session.map(divmod, [(7, 2), (9, 5)]) == [(3, 1), (1, 4)]
        session.close()
    assert not has_shared_dask_client()


def test_a_session_leaves_the_shared_client_open() -> None:
    """The next run uses the same client."""
    client = get_shared_dask_client()
    LocalExecutor().start("run", lambda _: None).close()
    assert get_shared_dask_client() is client
