"""A plan of a million operations: what the driver and the scheduler need for it.

Run `python -m tests.tools.bench.scale [--operations N] [--executor threads|distributed]`. With
`distributed` the scheduler and one worker run in processes of their own, and a last row is what a
user of Dask would do instead: a part of the same chains as a graph for the same scheduler.
"""

from __future__ import annotations

import argparse
import operator
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar
from uuid import uuid4

os.environ.setdefault("VOXK8S_TEST_KERNELS", "1")

from dask.utils import parse_bytes
from distributed import Client

from tests.support.plans_and_runs import PlanMaker
from voxk8s.constants import DASK_LOG_LENGTH, ENV_DASK_LOG_LENGTH
from voxk8s.execution import ExecutionEngine
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.execution.executors.protocol import Executor
from voxk8s.plan import WorkPlan
from voxk8s.storage import open_store

T = TypeVar("T")

GOALS = 1000
PART = 20
"""Dask alone gets one in so many of the operations: with all of them it would run for hours."""
CPU_MARK, MEMORY_MARK = 90.0, parse_bytes("2.5 GB")


_LOOK_SECONDS = 0.5
_TICKS = os.sysconf("SC_CLK_TCK")


class SchedulerWatch:
    """Looks at a scheduler until the block ends: its tasks, CPU seconds and memory."""

    def __init__(self, client: Client, pid: int) -> None:
        self._client = client
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.tasks: list[int] = []
        self.memory: list[float] = []

    def __enter__(self) -> Self:
        self._before = self._cpu()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.cpu = self._cpu() - self._before

    def __str__(self) -> str:
        """Return a row of the table: memory after each quarter of the time with tasks."""
        working = [size for size, tasks in zip(self.memory, self.tasks, strict=True) if tasks]
        sizes = ", ".join(f"{working[len(working) * part // 4 - 1]:.0f}" for part in (1, 2, 3, 4))
        return f"| {self.cpu:.1f} | {sizes} | {max(self.tasks)} |"

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            tasks = self._client.run_on_scheduler(_count_tasks)
            status = Path(f"/proc/{self._pid}/status").read_text()
            (line,) = (each for each in status.splitlines() if each.startswith("VmRSS:"))
            self.tasks.append(tasks)
            self.memory.append(int(line.split()[1]) / 1024)

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def _count_tasks(dask_scheduler: Any) -> int:
    return len(dask_scheduler.tasks)


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
def _processes() -> Iterator[tuple[Client, int]]:
    """Start a scheduler and a worker; give a client and the scheduler's process id."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"--scheduler-file={folder}/scheduler.json"
        scheduler, worker = (
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "dask",
                    *words,
                    "--no-dashboard",
                    file,
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, ENV_DASK_LOG_LENGTH: str(DASK_LOG_LENGTH)},
            )
            for words in (["scheduler", "--port=0"], ["worker", "--nthreads=1"])
        )
        try:
            with Client(scheduler_file=file.partition("=")[2]) as client:
                client.wait_for_workers(1)
                yield client, scheduler.pid
        finally:
            for process in (worker, scheduler):
                process.terminate()
                process.wait()


class _Spent(NamedTuple):
    """What this process has spent on a call, and the bytes of memory that it ever had."""

    seconds: float
    cpu: float
    memory: int


def _spent(call: Callable[[], T]) -> tuple[T, _Spent]:
    """Return the result of a call and what was spent on it."""
    cpu, begin = time.process_time(), time.perf_counter()
    result = call()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return result, _Spent(seconds, cpu, memory)


def _measure(plan: WorkPlan, executor: Executor, store: str) -> str:
    """Run the plan; return the driver's part of a row."""
    engine = ExecutionEngine(open_store(store), executor=executor, write_files=False)
    result, spent = _spent(lambda: engine.execute_workplan(plan))
    return (
        f"| {result.completed_operations} | {spent.seconds:.1f} | {spent.cpu:.1f} ({CPU_MARK:.0f})"
        f" | {spent.memory / 1e9:.2f} ({MEMORY_MARK / 1e9:.1f}) "
    )


def _measure_dask(client: Client, operations: int) -> str:
    """Let Dask run as many additions; return the driver's part of a row."""
    graph: dict[object, tuple[object, ...]] = {}
    steps = operations // GOALS
    for goal in range(GOALS):
        graph["add", goal, 0] = (operator.add, 1.0, float(goal))
        for step in range(1, steps):
            graph["add", goal, step] = (operator.add, ("add", goal, step - 1), 1.0)
    ends = [("add", goal, steps - 1) for goal in range(GOALS)]
    _, spent = _spent(lambda: client.get(graph, ends, sync=True))
    return (
        f"| {len(graph)}, Dask alone | {spent.seconds:.1f} | {spent.cpu:.1f}"
        f" | {spent.memory / 1e9:.2f} "
    )


def main() -> None:
    """Run the plan and print one row, and one of Dask alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--executor", default="distributed")
    arguments = parser.parse_args()
    plan = _chains(arguments.operations)
    print("| operations | seconds | driver: CPU s (goal) | memory GB (goal) ", end="")
    if arguments.executor != "distributed":
        print("|\n|---:|---:|---:|---:|")
        print(_measure(plan, find_executor(arguments.executor), "memory://scale") + "|")
        return
    print("| scheduler: CPU s | memory MiB after each quarter | tasks at most |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    with _processes() as (client, pid), tempfile.TemporaryDirectory() as folder:
        with SchedulerWatch(client, pid) as watch:
            row = _measure(plan, DistributedExecutor(client), f"{folder}/{uuid4().hex}")
        print(f"{row}{watch}", flush=True)
        with SchedulerWatch(client, pid) as watch:
            row = _measure_dask(client, arguments.operations // PART)
        print(f"{row}{watch}")


if __name__ == "__main__":
    main()
