"""What TLS and keys of sessions cost: WorkPlans on the real Kubernetes, with and without them.

Run on an installed cluster with `python -m tests.tools.bench.trust_costs [ROUNDS] [PLANS]`. Every
round installs the chart in four ways in turn, the next one in the other order. With each, PLANS new
plans of one addition run, and each of them four times again as a known one. Times are from the
request that creates a WorkPlan to its completion as a watch shows it; the first plan after an
installation is not counted, since it pays for the start of the operator. At the end the chart is
installed as the tests expect it.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from tests.support import workplans
from tests.support.paths import ROOT
from tests.tools.bench.operator_load import Seen, has_ended
from tests.tools.bench.table import Row, show
from tests.tools.cluster import charts
from tests.tools.cluster.paths import KUBECONFIG
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import DASK_CLUSTERS, NAMESPACES, PODS, WORK_PLANS

_STATIC: Final = {
    # A store that the chart does not know as its own: it has no STS there.
    "url": f"s3://{charts.BUCKET}/bench-static",
    "endpoint": f"http://voxk8s-s3.{charts.SYSTEM}.svc.cluster.local:8333",
    "existingSecret": "voxk8s-s3",
    "trust": "shared",
    "domains": {},
}
_SESSIONS: Final = {"trust": "namespace", "domains": {}}
WAYS: Final[Mapping[str, tuple[bool, Mapping[str, Any]]]] = {
    "neither": (False, _STATIC),
    "TLS": (True, _STATIC),
    "keys of sessions": (False, _SESSIONS),
    "both": (True, _SESSIONS),
}
"""By name: whether runs speak TLS, and what differs in the chart's `store`."""

KNOWN: Final = 4
"""How often each plan is applied again."""
MOST_SECONDS: Final = 0.5
"""By how much a new plan may take longer with both."""


class Times:
    """Seconds of new and of known plans, by the way of installation."""

    def __init__(self) -> None:
        """Begin without any."""
        self.new: dict[str, list[float]] = {way: [] for way in WAYS}
        self.known: dict[str, list[float]] = {way: [] for way in WAYS}

    def show(self) -> None:
        """Print medians, each way beside the one without anything, and the ranges."""
        for what, times in (("new", self.new), ("known", self.known)):
            base = statistics.median(times["neither"])
            most = base + (MOST_SECONDS if what == "new" else 0.0)
            show(
                f"{what} plan, create -> completed; medians of {len(times['neither'])}",
                [
                    Row(way, statistics.median(found), "neither", base, most)
                    for way, found in times.items()
                ],
            )
            for way, found in times.items():
                print(f"  {way}: {min(found):.2f} to {max(found):.2f} s")


class Namespace:
    """A namespace in which one WorkPlan after the other runs."""

    def __init__(self, kube: KubeClient, name: str) -> None:
        """Take a namespace that exists."""
        self._kube, self._name = kube, name
        self._ends = Seen(kube, name, WORK_PLANS, has_ended)
        self._count = 0

    async def watch(self) -> None:
        """Watch its WorkPlans, until cancelled."""
        await self._ends.run()

    async def run(self, plan: workplans.Document) -> float:
        """Return the seconds that a WorkPlan takes, once nothing of an earlier one is left."""
        self._count += 1
        body = workplans.workplan(f"p{self._count}", plan, cluster={"maxWorkers": 1})
        began = time.perf_counter()
        await self._kube.create(WORK_PLANS, body, self._name)
        await self._ends.reach(self._count)
        seconds = time.perf_counter() - began
        await self._idle()
        return seconds

    async def _idle(self) -> None:
        async with asyncio.timeout(120):
            while await self._has_pods():  # noqa: ASYNC110 - only by asking
                await asyncio.sleep(0.5)

    async def _has_pods(self) -> bool:
        if (await self._kube.list(DASK_CLUSTERS, self._name)).items:
            return True
        pods = (await self._kube.list(PODS, self._name)).items
        return any(pod["status"].get("phase") in ("Pending", "Running") for pod in pods)


async def measure(way: str, plans: int, times: Times) -> None:
    """Run plans in a new namespace, and add their seconds."""
    async with await KubeClient.connect({"KUBECONFIG": str(KUBECONFIG)}) as kube:
        name = f"bench-{secrets.token_hex(4)}"
        labels = charts.RESTRICTED
        await kube.create(
            NAMESPACES,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
        )
        namespace = Namespace(kube, name)
        watching = asyncio.create_task(namespace.watch())
        try:
            warm_up = workplans.addition(random.random(), 3.0)
            await namespace.run(warm_up)
            await namespace.run(warm_up)
            for _ in range(plans):
                plan = workplans.addition(random.random(), 3.0)
                times.new[way].append(await namespace.run(plan))
                times.known[way] += [await namespace.run(plan) for _ in range(KNOWN)]
        finally:
            watching.cancel()
            await kube.delete(NAMESPACES, name)


def main(rounds: int, plans: int) -> None:
    """Measure and print the tables after each round."""
    lines = (ROOT / ".cluster" / "images.env").read_text().splitlines()
    images = dict(line.split("=", 1) for line in lines if "=" in line)
    release = charts.releases(images)[-1]
    times = Times()
    order = list(WAYS)
    try:
        for number in range(rounds):
            for way in order if number % 2 == 0 else reversed(order):
                tls, store = WAYS[way]
                values = {
                    **release.values,
                    "tls": {"enabled": tls},
                    "store": {**release.values["store"], **store},
                }
                changed = charts.Release(release.name, release.namespace, release.chart, values)
                charts.upgrade(changed)
                charts.wait_ready(changed)
                asyncio.run(measure(way, plans, times))
            times.show()
    finally:
        charts.upgrade(release)
        charts.wait_ready(release)


if __name__ == "__main__":
    arguments = [int(word) for word in sys.argv[1:]]
    main(*(arguments + [3, 3][len(arguments) :]))
