"""A plan of a million operations: what the driver and the scheduler need for it.

Run `python -m tests.tools.bench.scale [--operations N] [--executor threads|distributed]`. With
`distributed` one worker runs in a process of its own, and driver and scheduler share this one.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import uuid4

os.environ.setdefault("VOXK8S_TEST_KERNELS", "1")

from dask.utils import parse_bytes
from distributed import Client, LocalCluster

from tests.support.dask_processes import worker_processes
from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution import ExecutionEngine
from voxk8s.execution.events import Event, OperationFinished
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.execution.executors.protocol import Executor
from voxk8s.plan import WorkPlan
from voxk8s.storage import open_store

GOALS = 1000
CPU_MARK, MEMORY_MARK = 90.0, parse_bytes("2.5 GB")


class Watch:
    """A listener that keeps the most tasks that the scheduler had at any time."""

    def __init__(self, cluster: LocalCluster | None) -> None:
        self._scheduler = None if cluster is None else cluster.scheduler
        self._seen = self.most = 0

    def __call__(self, event: Event) -> None:
        """Look at every thousandth operation."""
        if isinstance(event, OperationFinished) and self._scheduler is not None:
            self._seen += 1
            if self._seen % 1000 == 0:
                self.most = max(self.most, len(self._scheduler.tasks))


def _chains(operations: int) -> WorkPlan:
    """Return goals that are the ends of chains of additions."""
    make = PlanMaker()
    one = make.constant(1.0)
    for goal in range(GOALS):
        node = make("addition", one, float(goal))
        for _ in range(operations // GOALS - 1):
            node = make("addition", node, one)
        make.show(f"x{goal}", node)
    return make.plan()


@contextmanager
def _executor(name: str) -> Iterator[tuple[Executor, LocalCluster | None]]:
    if name != "distributed":
        yield find_executor(name), None
        return
    with ExitStack() as stack:
        cluster = stack.enter_context(worker_processes(workers=1, threads=1))
        yield DistributedExecutor(stack.enter_context(Client(cluster))), cluster


def main() -> None:
    """Run the plan and print one row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--executor", default="distributed")
    arguments = parser.parse_args()
    plan = _chains(arguments.operations)
    with _executor(arguments.executor) as (executor, cluster):
        watch = Watch(cluster)
        store = open_store(f"/tmp/voxk8s-scale-{uuid4().hex}" if cluster else "memory://scale")
        engine = ExecutionEngine(store, executor=executor, write_files=False, listeners=[watch])
        cpu, begin = time.process_time(), time.perf_counter()
        result = engine.execute_workplan(plan)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print("| operations | executor | seconds | CPU s (goal) | memory GB (goal) | tasks at most |")
    print("|---:|---|---:|---:|---:|---:|")
    print(
        f"| {result.completed_operations} | {arguments.executor} | {seconds:.1f}"
        f" | {cpu:.1f} ({CPU_MARK:.0f}) | {memory / 1e9:.2f} ({MEMORY_MARK / 1e9:.1f})"
        f" | {watch.most} |"
    )


if __name__ == "__main__":
    main()
