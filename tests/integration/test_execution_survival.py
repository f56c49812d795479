"""Runs on a real Dask cluster in processes whose parts die."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from distributed import Client, LocalCluster, WorkerPlugin

from tests.support.dask_processes import worker_processes
from tests.support.plans_and_runs import QUICK, Memory, PlanMaker, fresh_store
from tests.support.waiting import wait_until
from voxk8s.errors import SchedulerLost
from voxk8s.execution import ExecutionEngine, ExecutionResult
from voxk8s.execution.events import Event, OperationFinished
from voxk8s.execution.executors.dask_executors import DistributedExecutor


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCluster]:
    """Two workers in processes of their own, watched by nannies."""
    monkeypatch.setenv("VOXK8S_TEST_KERNELS", "1")
    # Each death costs seconds: Dask is to lose patience after the second instead of the fourth.
    with worker_processes(allowed_failures=1) as cluster:
        yield cluster


def _engine(client: Client, folder: Path, *listeners: Callable[[Event], None]) -> ExecutionEngine:
    return ExecutionEngine(
        fresh_store(folder),
        executor=DistributedExecutor(client),
        retry=QUICK,
        listeners=listeners,
        write_files=False,
    )


def _long_plan(width: int, depth: int, seconds: float) -> PlanMaker:
    make = PlanMaker()
    ends = []
    for column in range(width):
        node = make("addition", seconds, column * 1e-6)
        for _ in range(depth):
            node = make("test.sleep", make("test.identity", node))
        ends.append(node)
    total = ends[0]
    for end in ends[1:]:
        total = make("addition", total, end)
    make.show("total", total)
    return make


def test_a_worker_that_dies_is_made_up_for(cluster: LocalCluster, tmp_path: Path) -> None:
    """When a worker is killed in the middle, what it held is computed again; values are right."""
    seen = threading.Event()
    computed = 0

    def kill(event: Event) -> None:
        nonlocal computed
        if isinstance(event, OperationFinished):
            computed += 1
            if computed == 12 and not seen.is_set():
                seen.set()
                victim = next(iter(cluster.workers.values()))
                os.kill(victim.process.pid, signal.SIGKILL)

    with Client(cluster) as client:
        result = _engine(client, tmp_path, kill).execute_workplan(_long_plan(8, 6, 0.05).plan())
    assert seen.is_set()
    assert result.success
    assert result["total"] == pytest.approx(sum(0.05 + column * 1e-6 for column in range(8)))


def test_an_operation_that_kills_its_workers_fails_alone(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    """An operation on which workers keep dying fails with words; other goals are reached."""
    make = PlanMaker()
    make.show("fine", make("addition", 1.0, 1.0))
    make.show("deadly", make("addition", make("test.allocate", 1.0), 1.0))
    with Client(cluster) as client:
        client.register_plugin(Deadly())
        result = _engine(client, tmp_path).execute_workplan(make.plan())
    assert dict(result) == {"fine": 2.0}
    assert "workers died" in (result.goals[1].error or "")
    assert "test.allocate" in (result.goals[1].error or "")
    assert result.goals[1].transient


class Deadly(WorkerPlugin):
    """Makes `test.allocate` kill the process that runs it, as the system does without memory."""

    name = "deadly"

    def setup(self, worker: object) -> None:
        """Replace the kernel in the worker's process."""
        from voxk8s.kernels.testing import fault_injection

        fault_injection.allocate = lambda mib: os.kill(os.getpid(), signal.SIGKILL)


def test_a_closed_scheduler_is_said(cluster: LocalCluster, tmp_path: Path) -> None:
    """When the scheduler goes away the run ends with a transient error, and soon."""
    memory = Memory()
    errors: list[BaseException] = []
    client = Client(cluster)
    engine = _engine(client, tmp_path, memory)

    def run() -> None:
        try:
            engine.execute_workplan(_long_plan(4, 40, 0.05).plan())
        except SchedulerLost as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: len(memory.of(OperationFinished)) > 3)
    cluster.close()
    thread.join(60)
    assert not thread.is_alive()
    assert "run again" in str(errors[0])
    client.close()


def test_two_clients_compute_once(cluster: LocalCluster, tmp_path: Path) -> None:
    """Two runs on one cluster that need the same operations share their tasks."""
    store = fresh_store(tmp_path)
    plan = _long_plan(4, 4, 0.1).plan()
    results: list[ExecutionResult] = []
    started = threading.Barrier(2)

    def run() -> None:
        with Client(cluster.scheduler_address) as client:
            engine = ExecutionEngine(store, executor=client, retry=QUICK, write_files=False)
            started.wait()
            results.append(engine.execute_workplan(plan))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [result["total"] for result in results] == [results[0]["total"]] * 2
    assert all(result.success for result in results)
    sleeps = [
        sum(
            1
            for metrics in result.metrics.values()
            if metrics.kernel == "test.sleep" and not metrics.cached
        )
        for result in results
    ]
    assert sum(sleeps) == 16
