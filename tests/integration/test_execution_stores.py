"""Workers of a long-lived cluster and the stores of the runs that they work for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from distributed import Client

from tests.support.dask_processes import worker_processes
from tests.support.plans_and_runs import QUICK, PlanMaker, Unfused
from tests.support.redis import RedisServer
from tests.support.s3 import S3Server, serve
from voxk8s.execution import ExecutionEngine
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.plan import WorkPlan
from voxk8s.storage import ResultStore, open_store


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Two worker processes with one thread each, whose environment names no store."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with (
        worker_processes(threads=1) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _plan(operations: int, goals: int = 1) -> WorkPlan:
    make = PlanMaker()
    node = make.constant(1.0)
    for number in range(operations):
        node = make("addition", node, 1.0)
        if number >= operations - goals:
            make.show(f"x{number}", node)
    return make.plan()


def _execute(client: Client, store: ResultStore, plan: WorkPlan) -> int:
    """Run a plan on the cluster; return how many operations were computed."""
    engine = ExecutionEngine(
        store, executor=DistributedExecutor(client), retry=QUICK, scheduling=Unfused()
    )
    result = engine.execute_workplan(plan)
    assert result.success, result.failures
    return result.completed_operations


@pytest.mark.s3
def test_two_servers_with_one_bucket_name_are_two_stores(
    client: Client, s3_server: S3Server, tmp_path: Path
) -> None:
    """Each run's results go to its own server, although the URLs are equal and the workers too."""
    with serve(tmp_path) as second:
        url, plan = s3_server.url(), _plan(10, goals=10)
        for server in (s3_server, second):
            assert _execute(client, open_store(url, options=server.options), plan) == 10
        for server in (s3_server, second):
            assert open_store(url, options=server.options).stats().records == 10


@pytest.mark.s3
def test_a_process_opens_a_store_once(
    client: Client, s3_server: S3Server, capture: Callable[[], dict[str, int]]
) -> None:
    """200 tasks of a run, and those of a second run on the same store, open two clients in all."""
    url = s3_server.url()
    for operations in (200, 250):
        store = open_store(url, options=s3_server.options)
        assert _execute(client, store, _plan(operations, goals=20)) >= 50
    assert set(capture().values()) - {0} == {2}


@pytest.fixture
def capture(client: Client) -> Callable[[], dict[str, int]]:
    """Count the S3 clients that each worker process opens; the function returns the counts."""
    client.run(_count)
    return lambda: client.run(_counted)


def _count() -> None:
    from voxk8s.storage import backend

    opened: list[object] = []
    backend.opened_in_test = opened  # type: ignore[attr-defined]  # read by `_counted`
    s3 = backend._s3

    def counting(*arguments: object) -> object:
        opened.append(arguments)
        return s3(*arguments)  # type: ignore[arg-type]  # those of the original

    backend._s3 = counting  # type: ignore[assignment]  # the same arguments


def _counted() -> int:
    from voxk8s.storage import backend

    return len(backend.opened_in_test)  # type: ignore[attr-defined]  # set by `_count`


@pytest.mark.redis
def test_workers_use_a_store_in_redis(client: Client, redis_server: RedisServer) -> None:
    """With the credentials of the run, which are in its URL; nothing is computed twice."""
    url = redis_server.url().replace("redis://", f"redis://:{redis_server.password}@")
    plan = _plan(20, goals=20)
    assert _execute(client, open_store(url), plan) == 20
    assert _execute(client, open_store(url), plan) == 0
