"""Overhead per operation, side by side with raw `dask.delayed` on the same client.

Run `python -m tests.tools.bench.overhead [--quick]`; prints a Markdown table.
"""

from __future__ import annotations

import argparse
import operator
import os
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

from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution import ExecutionEngine, close_shared_dask_client, get_shared_dask_client
from voxk8s.storage import open_store


@dataclass(frozen=True)
class Case:
    """The same work as a plan and as delayed calls."""

    name: str
    operations: int
    plan: Callable[[], PlanMaker]
    delayed: Callable[[], list[Delayed]] | None


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the operations")
    scale = 10 if parser.parse_args().quick else 1
    client = get_shared_dask_client()
    _voxk8s(_chain(100).plan())
    print("| work | operations | voxk8s s | us/op | dask.delayed s | us/op | times faster |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for case in _cases(scale):
        ours = _best(partial(_run, case))
        theirs = None if case.delayed is None else _best(partial(_raw, client, case), 1)
        print(_row(case, ours, theirs), flush=True)
    close_shared_dask_client()


def _cases(scale: int) -> list[Case]:
    many, some = 10_000 // scale, 1_000 // scale
    return [
        Case("chain of additions", many, lambda: _chain(many), lambda: _raw_chain(many)),
        Case("tree of additions", many - 1, lambda: _tree(many), lambda: _raw_tree(many)),
        Case("independent additions", many, lambda: _wide(many), lambda: _raw_wide(many)),
        Case("independent 1 ms sleeps", some, lambda: _sleeps(some), lambda: _raw_sleeps(some)),
        Case("chain of additions", 100_000 // scale, lambda: _chain(100_000 // scale), None),
    ]


def _best(measure: Callable[[], float], times: int = 3) -> float:
    return min(measure() for _ in range(times))


def _row(case: Case, ours: float, theirs: float | None) -> str:
    def per_operation(seconds: float) -> str:
        return f"{seconds / case.operations * 1e6:.0f}"

    raw = (
        " | | |"
        if theirs is None
        else (f" {theirs:.2f} | {per_operation(theirs)} | {theirs / ours:.1f} |")
    )
    return f"| {case.name} | {case.operations} | {ours:.2f} | {per_operation(ours)} |{raw}"


def _voxk8s(plan_maker_plan: object) -> float:
    plan = plan_maker_plan.plan() if isinstance(plan_maker_plan, PlanMaker) else plan_maker_plan
    engine = ExecutionEngine(open_store(f"memory://{uuid4().hex}"), write_files=False)
    begin = time.perf_counter()
    result = engine.execute_workplan(plan)  # type: ignore[arg-type]  # whatever the table plans
    seconds = time.perf_counter() - begin
    if not result.success:
        sys.exit(f"a run failed: {result.failures[:3]}")
    return seconds


def _run(case: Case) -> float:
    return _voxk8s(case.plan())


def _raw(client: Client, case: Case) -> float:
    if case.delayed is None:
        return 0.0
    calls = case.delayed()
    begin = time.perf_counter()
    client.gather(client.compute(calls))
    return time.perf_counter() - begin


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
