"""Whole lives of WorkPlans under operators that die after every single write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support import kstatus
from tests.support.mortal_operator import run_until_death
from tests.support.operators import apply_workplans, config, eventually
from tests.support.scripted_cluster import ScriptedCluster, Seen
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import DASK_CLUSTERS, DASK_WORKER_GROUPS, JOBS, WORK_PLANS
from voxk8s.controller.config import Config
from voxk8s.controller.resolve.resolution_state import Resolved, ResolveResult

NEW = Resolved(threads=3)
FOR_THE_RUN = {"DaskCluster", "DaskAutoscaler", "DaskWorkerGroup", "Deployment"}
MOST_WRITES = 60
"""Of all operators together, for a WorkPlan."""


@dataclass(slots=True)
class Life:
    """A namespace with WorkPlans whose operator dies after each write."""

    kube: KubeClient
    cluster: ScriptedCluster
    seen: dict[str, Seen]
    deaths: list[str] = field(default_factory=list)

    async def workplans(self) -> list[KubeObject]:
        """Return the WorkPlans as they are."""
        return (await self.kube.list(WORK_PLANS, self.cluster.namespace)).items

    async def ended(self, end: str) -> None:
        """Wait until kstatus reads this end of all, and nothing of their runs is left."""

        async def probe() -> bool:
            found = await self.workplans()
            left = await self.cluster.owned()
            ends = {kstatus.read(each) for each in found}
            return ends == {end} and not FOR_THE_RUN & set(left)

        await eventually(probe, f"the WorkPlans are {end}", 60)

    async def gone(self) -> None:
        """Wait until nothing is left of the WorkPlans."""

        async def probe() -> bool:
            return not await self.workplans() and not await self.cluster.owned()

        await eventually(probe, "the WorkPlans and their children are gone", 60)

    async def computing(self) -> None:
        """Wait until an operation is computed."""

        async def probe() -> bool:
            statuses = [each.get("status") or {} for each in await self.workplans()]
            return any((each.get("operations") or {}).get("computed") for each in statuses)

        await eventually(probe, "an operation is computed", 60)

    async def given_back(self) -> None:
        """Wait until a run has no cluster and no runner."""

        async def probe() -> bool:
            return not (FOR_THE_RUN | {"Job"}) & set(await self.cluster.owned())

        await eventually(probe, "the cluster is given back", 60)

    async def replaced(self, uid: str) -> None:
        """Wait until there is another cluster than this one, and it alone."""

        async def probe() -> bool:
            found = (await self.kube.list(DASK_CLUSTERS, self.cluster.namespace)).items
            return [each["metadata"]["uid"] == uid for each in found] == [False]

        await eventually(probe, "there is another cluster", 60)

    async def annotate(self, **annotations: str) -> None:
        """Set annotations of the first WorkPlan."""
        await self._patch({"metadata": {"annotations": annotations}})

    async def label(self, **labels: str) -> None:
        """Set labels of the first WorkPlan."""
        await self._patch({"metadata": {"labels": labels}})

    async def change(self, **spec: Any) -> None:
        """Change the spec of the first WorkPlan."""
        await self._patch({"spec": spec})

    async def _patch(self, body: dict[str, Any]) -> None:
        await self.kube.patch(WORK_PLANS, "wp-00", body, self.cluster.namespace)

    def check(self, clusters: int, least_deaths: int, runners: int | None = None) -> None:
        """See that every observed state followed the rules, and that no child had a double.

        There were as many runners as clusters, if their number is not given.
        """
        workplans = self.seen["WorkPlan"].by_uid()
        for states in workplans.values():
            assert kstatus.broken_rules([each for each in states if not each["deleted"]]) == []
        jobs = clusters if runners is None else runners
        for kind, number, most in (("DaskCluster", clusters, 1), ("Job", jobs, len(workplans))):
            assert len(self.seen[kind].uids()) == number, self.deaths
            assert self.seen[kind].most_at_once() <= most
        assert len(self.deaths) >= least_deaths


@asynccontextmanager
async def living(
    kube: KubeClient,
    namespace: str,
    answer: ResolveResult = NEW,
    outcome: str = "Succeeded",
    *,
    count: int = 1,
    settings: Config | None = None,
    others: tuple[Coroutine[Any, Any, None], ...] = (),
    **spec: Any,
) -> AsyncIterator[Life]:
    """Create WorkPlans and let operators with these settings live and die until the block ends.

    `others` are what else acts in the cluster meanwhile, until cancelled.
    """
    cluster = ScriptedCluster(kube, namespace, outcome)
    version = (await kube.list(WORK_PLANS, namespace)).resource_version
    seen = {
        kind.kind: Seen(kube, kind, namespace)
        for kind in (WORK_PLANS, DASK_CLUSTERS, DASK_WORKER_GROUPS, JOBS)
    }
    life = Life(kube, cluster, seen)
    await apply_workplans(kube, namespace, count, **spec)
    over, versions = asyncio.Event(), dict[str, str]()

    async def die_again_and_again() -> None:
        while not over.is_set():
            life.deaths += await run_until_death(
                kube, settings or config(namespace), lambda _: answer, 1, versions, over
            )
            if len(life.deaths) > MOST_WRITES * count:
                raise AssertionError(f"the writes never end: {life.deaths[-12:]}")

    async with asyncio.TaskGroup() as tasks:
        acting = [each.run(version) for each in seen.values()]
        helpers = [tasks.create_task(each) for each in (*acting, cluster.run(), *others)]
        dying = tasks.create_task(die_again_and_again())
        yield life
        over.set()
        await dying
        for helper in helpers:
            helper.cancel()
