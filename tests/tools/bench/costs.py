"""Recorded costs: how much better a second, different plan is scheduled than the first.

Run `python -m tests.tools.bench.costs`. A plan has many chains of short operations and, last, one
chain of long ones, each with a goal of its own or all below one goal; nothing is known about their
kernels. The second plan has the same kernels and other constants, so that nothing is found in the
store but costs. `forgotten` is the second plan on a store without them. Operations sleep: the
machine's load counts little. They run on threads without Dask, as `voxk8s run` does: Dask also
starts first what it has few tasks of.
"""

from __future__ import annotations

import os
import time
from uuid import uuid4

from tests.support.plans_and_runs import CountingPolicy, PlanMaker
from voxk8s import open_store
from voxk8s.constants import ENV_DASK_THREADS
from voxk8s.execution import ExecutionEngine
from voxk8s.kernels import kernel
from voxk8s.storage import ResultStore

CHAINS, SHORT, LONG = 200, 5, 6
SHORT_SECONDS, LONG_SECONDS = 0.001, 0.3
THREADS = 2


@kernel("bench.short")
def short(x: float) -> float:
    """Return the next number after a millisecond."""
    time.sleep(SHORT_SECONDS)
    return x + 1


@kernel("bench.long")
def long(x: float) -> float:
    """Return the next number after a while."""
    time.sleep(LONG_SECONDS)
    return x + 1


@kernel("bench.best")
def best(*numbers: float) -> float:
    """Return the largest number."""
    return max(numbers)


def _plan(start: float, *, one_goal: bool) -> PlanMaker:
    make = PlanMaker()

    def chain(name: str, length: int, first: float) -> str:
        node = make(name, first)
        for _ in range(length - 1):
            node = make(name, node)
        return node

    ends = {
        f"short {number}": chain("bench.short", SHORT, start + 10 * number)
        for number in range(CHAINS)
    }
    ends["long"] = chain("bench.long", LONG, start)
    if one_goal:
        make.show("best", make("bench.best", *ends.values()))
        return make
    for name, end in ends.items():
        make.show(name, end)
    return make


def _run(store: ResultStore, start: float, *, one_goal: bool) -> tuple[float, int]:
    policy = CountingPolicy()
    engine = ExecutionEngine(store, executor="threads", scheduling=policy, write_files=False)
    begin = time.perf_counter()
    engine.execute_workplan(_plan(start, one_goal=one_goal).plan())
    return time.perf_counter() - begin, policy.tasks


def main() -> None:
    """Print a line for each plan, beside the time that no schedule can beat."""
    work = CHAINS * SHORT * SHORT_SECONDS + LONG * LONG_SECONDS
    bound = max(work / THREADS, LONG * LONG_SECONDS)
    os.environ[ENV_DASK_THREADS] = str(THREADS)
    _run(open_store(f"memory://{uuid4().hex}"), 0.5, one_goal=False)  # the executor starts
    print(f"{CHAINS * SHORT + LONG} operations; with {THREADS} threads at least {bound:.2f} s")
    print("| goals | plan | tasks | seconds | times the bound |")
    print("|---:|---|---:|---:|---:|")
    for one_goal in (False, True):
        store = open_store(f"memory://{uuid4().hex}")
        for name, opened, start in (
            ("first", store, 0.0),
            ("second", store, 0.25),
            ("forgotten", open_store(f"memory://{uuid4().hex}"), 0.25),
        ):
            seconds, tasks = _run(opened, start, one_goal=one_goal)
            goals = 1 if one_goal else CHAINS + 1
            row = f"| {goals} | {name} | {tasks} | {seconds:.2f} | {seconds / bound:.2f} |"
            print(row, flush=True)


if __name__ == "__main__":
    main()
