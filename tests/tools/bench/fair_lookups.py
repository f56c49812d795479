"""How long small plans wait for look-ups of large ones of others, on a real API server and S3.

Run with `python -m tests.tools.bench.fair_lookups [--namespaces 20] [--operations 50000]`. Each of
the namespaces has one large plan, whose program is short; then small plans come in namespaces of
their own, one after the other, while the large ones are being looked up. Then the same with all
large plans in one namespace. Seconds are from the creation of a WorkPlan to its completion.
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


async def is_looked_up(kube: KubeClient, namespace: str, name: str) -> bool:
    """Whether a WorkPlan has ended, or its operations are counted."""
    status = (await kube.get(WORK_PLANS, name, namespace)).get("status") or {}
    return bool("completionTime" in status or status.get("operations"))


async def ended(kube: KubeClient, namespace: str, name: str) -> float:
    """Wait until a small WorkPlan has ended; return the time."""
    await eventually(
        lambda: is_looked_up(kube, namespace, name), f"{name} in {namespace} ends", 1800, 0.05
    )
    return time.perf_counter()


async def beside(
    bench: Bench, spaces: Sequence[str], others: Sequence[str], operations: int
) -> None:
    """Measure small plans in `others` while there is a large one for each of `spaces`."""
    operator = bench.start()
    try:
        await bench.leads()
        await create(bench.kube, others[0], "first", plan=PLAN)
        await ended(bench.kube, others[0], "first")
        names = [(f"large-{number}", namespace) for number, namespace in enumerate(spaces)]
        for number, (name, namespace) in enumerate(names):
            await create(bench.kube, namespace, name, source=large(operations, number))
        small = []
        for number, namespace in enumerate(others[1:]):
            began = await create(bench.kube, namespace, f"small-{number}", plan=PLAN)
            small.append(await ended(bench.kube, namespace, f"small-{number}") - began)
        busy = sum([not await is_looked_up(bench.kube, space, name) for name, space in names])
        row("  small plan, first of them", f"{small[0]:.2f} s")
        row("  median", f"{statistics.median(small):.2f} s")
        row("  worst", f"{max(small):.2f} s", "5 s")
        row("  large plans still being looked up then", f"{busy} of {len(names)}")
    finally:
        operator.end()
    for name, namespace in names:
        await bench.kube.delete(WORK_PLANS, name, namespace)


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

        count, size = options.namespaces, options.operations
        print(f"beside {count} namespaces, each with a plan of {size} operations")
        await beside(bench, await spaces(count), await spaces(_SMALL + 1), size)
        print(f"beside one namespace with {count} plans of {size} operations")
        await beside(bench, await spaces(1) * count, await spaces(_SMALL + 1), size)


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
