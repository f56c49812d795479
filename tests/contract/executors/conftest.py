"""Every executor in turn, with a store and a plan of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client

from tests.support.dask_processes import worker_processes
from tests.support.plans_and_runs import (
    PlanMaker,
    fresh_store,
)
from voxk8s.execution import close_shared_dask_client
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.execution.executors.protocol import Executor
from voxk8s.storage import ResultStore


@pytest.fixture(scope="package")
def environment() -> Iterator[None]:
    """Switch the test kernels on, here and in workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXK8S_TEST_KERNELS", "1")
        yield


@pytest.fixture(scope="package", params=["synchronous", "threads", "local", "distributed"])
def executor(request: pytest.FixtureRequest, environment: None) -> Iterator[Executor]:
    """Every executor in turn."""
    if request.param != "distributed":
        yield find_executor(request.param)
        close_shared_dask_client()
        return
    with (
        worker_processes() as cluster,
        Client(cluster) as client,
    ):
        yield DistributedExecutor(client)


@pytest.fixture
def store(executor: Executor, tmp_path: Path) -> ResultStore:
    """A store of its own, in a folder where processes share it."""
    return fresh_store(None if executor.is_local else tmp_path)


@pytest.fixture
def make() -> PlanMaker:
    """An empty plan."""
    return PlanMaker("vox1")
