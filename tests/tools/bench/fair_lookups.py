"""How long small plans wait for look-ups of large ones of others, on a real API server and S3.

Run with `python -m tests.tools.bench.fair_lookups [--namespaces 20] [--operations 50000]`. Each of
the namespaces has one large plan, whose program is short; then small plans come in namespaces of
their own, one after the other, while the large ones are being looked up. Then the same with all
large plans in one namespace. Seconds are from the creation of a WorkPlan to its completion, or, for
large plans, to the phase that follows the look-up.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.support import api_server, s3, workplans
from tests.support.api_server import ApiServer
from tests.support.operators import eventually
from tests.tools.bench.operator_load import PLAN, Bench, row
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.execution import ExecutionEngine, load_plan

_SMALL = 10
"""How many small plans come one after the other."""


def large(operations: int, salt: int) -> dict[str, Any]:
    """Return the source of a plan that expands to so many operations, none of them known."""
    return {"program": f'print "x" for i in range(0, {operations}) do i + {salt}.5'}


async def create(kube: KubeClient, namespace: str, name: str, **spec: Any) -> float:
    """Create a WorkPlan and return the time."""
    await kube.create(WORK_PLANS, workplans.workplan(name, **spec), namespace)
    return time.perf_counter()


async def ended(kube: KubeClient, namespace: str, name: str) -> float:
    """Wait until a WorkPlan has ended or waits for its cluster; return the time."""

    async def probe() -> bool:
        status = (await kube.get(WORK_PLANS, name, namespace)).get("status") or {}
        return bool("completionTime" in status or status.get("operations"))

    await eventually(probe, f"{name} in {namespace} is looked up", 1800, 0.05)
    return time.perf_counter()


async def beside(
    bench: Bench, spaces: Sequence[str], others: Sequence[str], operations: int
) -> tuple[list[float], list[float]]:
    """Return the seconds of small plans and those of the large ones beside them."""
    operator = bench.start()
    try:
        await bench.leads()
        await create(bench.kube, others[0], "first", plan=PLAN)
        await ended(bench.kube, others[0], "first")

        async def run_large(number: int, namespace: str) -> float:
            source = large(operations, number)
            began = await create(bench.kube, namespace, f"large-{number}", source=source)
            return await ended(bench.kube, namespace, f"large-{number}") - began

        tasks = [
            asyncio.create_task(run_large(number, space)) for number, space in enumerate(spaces)
        ]
        small = []
        await asyncio.sleep(0.5)
        for number in range(_SMALL):
            namespace = others[1 + number]
            began = await create(bench.kube, namespace, f"small-{number}", plan=PLAN)
            small.append(await ended(bench.kube, namespace, f"small-{number}") - began)
        busy = sum(not task.done() for task in tasks)
        print(f"  {busy} large plans were still being looked up when the last small one ended")
        return small, await asyncio.gather(*tasks)
    finally:
        operator.end()


def show(what: str, small: Sequence[float], many: Sequence[float]) -> None:
    """Print the rows of one scene."""
    row(f"{what}: small plan, median", f"{statistics.median(small):.2f} s")
    row("  worst", f"{max(small):.2f} s", "5 s")
    row("  large plans, first and last", f"{min(many):.1f} and {max(many):.1f} s")


async def measure(options: argparse.Namespace, server: ApiServer, store: s3.S3Server) -> None:
    """Measure both scenes."""
    opened = store.store("bench")
    ExecutionEngine(opened, write_files=False).execute_workplan(
        load_plan(msgspec.json.encode(PLAN))
    )
    async with await server.connect() as kube:
        await api_server.install_crds(kube)
        bench = Bench(server, kube, opened, store.env)

        async def spaces(count: int) -> list[str]:
            return [await api_server.make_namespace(kube) for _ in range(count)]

        count = options.namespaces
        found = await beside(
            bench, await spaces(count), await spaces(_SMALL + 1), options.operations
        )
        show(f"{count} namespaces, each with {options.operations} operations", *found)
        one = await spaces(1)
        found = await beside(bench, one * count, await spaces(_SMALL + 1), options.operations)
        show(f"one namespace, {count} plans of {options.operations} operations", *found)


def main() -> None:
    """Start the servers, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespaces", type=int, default=20)
    parser.add_argument("--operations", type=int, default=50_000)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        s3.serve(Path(folder)) as store,
        api_server.serve() as server,
    ):
        asyncio.run(measure(options, server, store))


if __name__ == "__main__":
    main()
