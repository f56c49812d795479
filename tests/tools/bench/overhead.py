"""Overhead per operation on each executor of this process, beside raw `dask.delayed`.

Run `python -m tests.tools.bench.overhead [--quick]`; prints a Markdown table. Times are CPU time
of the process, which other work on the machine disturbs less, and elapsed time where operations
sleep. "Unfused" is a task for each operation. Results of goals go to a store in memory: a row
whose operations are all goals measures the store, too. Goals: 50 us fused, 300 us unfused.
"""

from __future__ import annotations

import argparse
import operator
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

os.environ.setdefault("VOXK8S_TEST_KERNELS", "1")

import dask
from dask.delayed import Delayed
from distributed import Client

from tests.support.plans_and_runs import PlanMaker, Unfused
from voxk8s.execution import ExecutionEngine, close_shared_dask_client, get_shared_dask_client
from voxk8s.plan import WorkPlan
from voxk8s.storage import open_store

_ROUNDS = 3


@dataclass(frozen=True)
class Case:
    """The same work as a plan and as delayed calls."""

    name: str
    operations: int
    plan: Callable[[], PlanMaker]
    delayed: Callable[[], list[Delayed]]
    clock: Callable[[], float] = time.process_time


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the operations")
    scale = 10 if parser.parse_args().quick else 1
    client = get_shared_dask_client()
    for executor in ("threads", "local"):
        _execute(_chain(100).plan(), executor, fused=True)
    print("Microseconds per operation (goals: 50 fused, 300 unfused):\n")
    print(
        "| work | operations | threads | local | threads, unfused | local, unfused | dask.delayed |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for case in _cases(scale):
        print(_row(client, case), flush=True)
    close_shared_dask_client()


def _cases(scale: int) -> list[Case]:
    many, some = 10_000 // scale, 1_000 // scale
    return [
        Case("chain of additions", many, lambda: _chain(many), lambda: _raw_chain(many)),
        Case("tree of additions", many - 1, lambda: _tree(many), lambda: _raw_tree(many)),
        Case("independent goals", many, lambda: _wide(many), lambda: _raw_wide(many)),
        Case(
            "independent 1 ms sleeps",
            some,
            lambda: _sleeps(some),
            lambda: _raw_sleeps(some),
            time.perf_counter,
        ),
    ]


def _row(client: Client, case: Case) -> str:
    """Measure all columns in turn, several times; return the medians."""
    plan = case.plan().plan()
    columns: list[Callable[[], object]] = [
        lambda: _execute(plan, "threads", fused=True),
        lambda: _execute(plan, "local", fused=True),
        lambda: _execute(plan, "threads", fused=False),
        lambda: _execute(plan, "local", fused=False),
    ]
    times: list[list[float]] = [[] for _ in range(len(columns) + 1)]
    for _ in range(_ROUNDS):
        raw: Callable[[], object] = partial(_compute, client, case.delayed())
        for column, run in zip(times, [*columns, raw], strict=True):
            begin = case.clock()
            run()
            column.append(case.clock() - begin)
    cells = (f"{statistics.median(each) / case.operations * 1e6:.0f}" for each in times)
    return f"| {case.name} | {case.operations} | {' | '.join(cells)} |"


def _compute(client: Client, calls: list[Delayed]) -> None:
    client.gather(client.compute(calls))


def _execute(plan: WorkPlan, executor: str, *, fused: bool) -> None:
    engine = ExecutionEngine(
        open_store(f"memory://{uuid4().hex}"),
        executor=executor,
        write_files=False,
        scheduling=None if fused else Unfused(),
    )
    result = engine.execute_workplan(plan)
    if not result.success:
        sys.exit(f"a run failed: {result.failures[:3]}")


def _chain(length: int) -> PlanMaker:
    make = PlanMaker()
    one = node = make.constant(1.0)
    for _ in range(length):
        node = make("addition", node, one)
    make.show("end", node)
    return make


def _raw_chain(length: int) -> list[Delayed]:
    add = dask.delayed(operator.add, pure=False)
    node = add(1.0, 1.0)
    for _ in range(length - 1):
        node = add(node, 1.0)
    return [node]


def _tree(leaves: int) -> PlanMaker:
    make = PlanMaker()
    level = [make.constant(float(number)) for number in range(leaves)]
    while len(level) > 1:
        rest = [level[-1]] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [make("addition", left, right) for left, right in pairs] + rest
    make.show("total", level[0])
    return make


def _raw_tree(leaves: int) -> list[Delayed]:
    add = dask.delayed(operator.add, pure=False)
    level: list[object] = [float(number) for number in range(leaves)]
    while len(level) > 1:
        rest = [level[-1]] if len(level) % 2 else []
        level = [add(a, b) for a, b in zip(level[::2], level[1::2], strict=False)] + rest
    return [level[0]]  # type: ignore[list-item]  # delayed objects have no type


def _wide(count: int) -> PlanMaker:
    make = PlanMaker()
    one = make.constant(1.0)
    for number in range(count):
        make.show(f"g{number}", make("addition", float(number), one))
    return make


def _raw_wide(count: int) -> list[Delayed]:
    add = dask.delayed(operator.add, pure=False)
    return [dask.delayed(len)([add(float(number), 1.0) for number in range(count)])]


def _sleeps(count: int) -> PlanMaker:
    make = PlanMaker()
    for number in range(count):
        make.show(f"g{number}", make("test.sleep", 0.001 + number * 1e-9))
    return make


def _raw_sleeps(count: int) -> list[Delayed]:
    wait = dask.delayed(time.sleep, pure=False)
    return [dask.delayed(len)([wait(0.001 + number * 1e-9) for number in range(count)])]


if __name__ == "__main__":
    main()
