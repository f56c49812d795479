"""Recorded costs: how much better a second, different plan is scheduled than the first.

Run `python -m tests.tools.bench.costs`. A plan has many chains of short operations and, as its last
goal, one chain of long ones; nothing is known about their kernels. The second plan has the same
kernels and other constants, so that nothing is found in the store but costs. `forgotten` is the
second plan on a store without them. Operations sleep: the machine's load counts little.
"""

from __future__ import annotations

import time
from uuid import uuid4

from tests.support.plans_and_runs import CountingPolicy, PlanMaker
from voxk8s import open_store
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


def _plan(start: float) -> PlanMaker:
    make = PlanMaker()

    def chain(name: str, length: int, first: float) -> str:
        node = make(name, first)
        for _ in range(length - 1):
            node = make(name, node)
        return node

    for number in range(CHAINS):
        make.show(f"short {number}", chain("bench.short", SHORT, start + 10 * number))
    make.show("long", chain("bench.long", LONG, start))
    return make


def _run(store: ResultStore, start: float) -> tuple[float, int]:
    policy = CountingPolicy()
    engine = ExecutionEngine(store, scheduling=policy, write_files=False)
    begin = time.perf_counter()
    engine.execute_workplan(_plan(start).plan())
    return time.perf_counter() - begin, policy.tasks


def main() -> None:
    """Print a line for each plan, beside the time that no schedule can beat."""
    work = CHAINS * SHORT * SHORT_SECONDS + LONG * LONG_SECONDS
    bound = max(work / THREADS, LONG * LONG_SECONDS)
    _run(open_store(f"memory://{uuid4().hex}"), 0.5)  # the executor starts
    store = open_store(f"memory://{uuid4().hex}")
    print(f"{CHAINS * SHORT + LONG} operations; with {THREADS} threads at least {bound:.2f} s")
    print("| plan | tasks | seconds | times the bound |")
    print("|---|---:|---:|---:|")
    for name, opened, start in (
        ("first", store, 0.0),
        ("second", store, 0.25),
        ("forgotten", open_store(f"memory://{uuid4().hex}"), 0.25),
    ):
        seconds, tasks = _run(opened, start)
        print(f"| {name} | {tasks} | {seconds:.2f} | {seconds / bound:.2f} |", flush=True)


if __name__ == "__main__":
    main()
