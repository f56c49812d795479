"""Operations that need resources, such as a GPU, on a cluster of unequal workers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from tests.support.dask_processes import unequal_workers
from tests.support.plans_and_runs import QUICK, PlanMaker, fresh_store
from voxk8s.execution import ExecutionEngine, ExecutionResult, close_shared_dask_client
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.kernels import kernel
from voxk8s.plan import WorkPlan


@kernel("resources.segment", version=1, resources={"TPU": 2, "GPU": 1})
def segment(x: float) -> float:
    """Return the argument."""
    return x


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A worker with two threads, and one with four threads and a GPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXK8S_TEST_KERNELS", "1")
        with (
            unequal_workers(
                plain={"nthreads": 2}, gpu={"nthreads": 4, "resources": {"GPU": 1}}
            ) as cluster,
            Client(cluster) as client,
        ):
            client.wait_for_workers(2)
            yield client


def _execute(client: Client, store: Path, plan: WorkPlan) -> ExecutionResult:
    executor = DistributedExecutor(client)
    return ExecutionEngine(fresh_store(store), executor=executor, retry=QUICK).execute_workplan(
        plan
    )


def test_operations_run_where_what_they_need_is_offered(client: Client, tmp_path: Path) -> None:
    """All on the worker with the GPU, one at a time although it has four threads."""
    make = PlanMaker("test")
    for number in range(4):
        make.show(f"gpu{number}", make("on_gpu", 0.2 + number / 1000))
        make.show(f"cpu{number}", make("sleep", 0.2 + number / 1000))
    result = _execute(client, tmp_path, make.plan())
    assert result.success, result.failures
    on_gpu = [each for each in result.metrics.values() if each.kernel == "test.on_gpu"]
    assert {each.worker for each in on_gpu} == {"gpu"}
    spans = sorted((each.started, each.started + each.seconds) for each in on_gpu)
    assert all(first[1] <= second[0] + 0.05 for first, second in pairwise(spans))


def test_what_no_worker_offers_fails_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask would wait for ever; what does not need it goes on."""
    monkeypatch.setenv("VOXK8S_TEST_KERNELS", "1")
    make = PlanMaker("test")
    make.show("segmented", make("addition", make("resources.segment", 1.0), 1.0))
    make.show("other", make("sleep", 0.0))
    with (
        LocalCluster(
            n_workers=1, processes=False, resources={"GPU": 1}, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        result = _execute(client, tmp_path, make.plan())
    assert dict(result) == {"other": 0.0}
    message = (
        "expected a worker that offers GPU=1 TPU=2, and the workers of the Dask cluster offer"
        ' GPU=1: start one with `dask worker --resources "GPU=1 TPU=2"`'
    )
    [found] = result.failed_operations.values()
    assert found.endswith(message)


def test_one_process_does_not_count_resources(tmp_path: Path) -> None:
    """What needs a GPU runs there with what the machine has."""
    make = PlanMaker()
    make.show("segmented", make("resources.segment", 1.0))
    for executor in ("threads", "local"):
        engine = ExecutionEngine(fresh_store(tmp_path / executor), executor=executor, retry=QUICK)
        assert dict(engine.execute_workplan(make.plan())) == {"segmented": 1.0}
    close_shared_dask_client()
