"""An operator that is killed after every single write, through whole lives of WorkPlans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.support import kstatus
from tests.support.mortal_operator import run_until_death
from tests.support.operators import apply_workplans, config, eventually
from tests.support.scripted_cluster import ScriptedCluster, Seen
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import DASK_CLUSTERS, DASK_WORKER_GROUPS, JOBS, WORK_PLANS
from voxk8s.controller import operator as operator_module
from voxk8s.controller.resolve.resolution_state import Resolved, ResolveResult

NEW = Resolved(threads=3)
KNOWN = {
    "operations": {
        "total": 1, "cached": 1, "computed": 0, "failed": 0, "running": 0, "pending": 0,
    },
    "progress": "1/1",
    "results": [{"goal": "sum", "kind": "print", "value": 3.0}],
}  # fmt: skip
GROUP = [{"name": "gpu", "minWorkers": 1}]
WITH_GROUP = Resolved(threads=3, groups={"gpu": 1})
FOR_THE_RUN = {"DaskCluster", "DaskAutoscaler", "DaskWorkerGroup", "Deployment"}
MOST_WRITES = 60


@dataclass(slots=True)
class Life:
    """A namespace with a WorkPlan whose operator dies after each write."""

    kube: KubeClient
    cluster: ScriptedCluster
    seen: dict[str, Seen]
    deaths: list[str] = field(default_factory=list)

    async def workplan(self) -> KubeObject | None:
        """Return the WorkPlan as it is."""
        return await self.kube.find(WORK_PLANS, "wp-00", self.cluster.namespace)

    async def ended(self, end: str) -> None:
        """Wait until kstatus reads this end, and nothing of the run is left."""

        async def probe() -> bool:
            found = await self.workplan()
            left = await self.cluster.owned()
            return found is not None and kstatus.read(found) == end and not FOR_THE_RUN & set(left)

        await eventually(probe, f"the WorkPlan is {end}", 60)

    async def gone(self) -> None:
        """Wait until nothing is left of the WorkPlan."""

        async def probe() -> bool:
            return await self.workplan() is None and not await self.cluster.owned()

        await eventually(probe, "the WorkPlan and its children are gone", 60)

    async def computing(self) -> None:
        """Wait until an operation is computed."""

        async def probe() -> bool:
            found = await self.workplan()
            return bool(found and (found["status"].get("operations") or {}).get("computed"))

        await eventually(probe, "an operation is computed", 60)

    async def annotate(self, **annotations: str) -> None:
        """Set annotations."""
        body = {"metadata": {"annotations": annotations}}
        await self.kube.patch(WORK_PLANS, "wp-00", body, self.cluster.namespace)

    async def change(self, **spec: Any) -> None:
        """Change the spec."""
        await self.kube.patch(WORK_PLANS, "wp-00", {"spec": spec}, self.cluster.namespace)


@pytest.fixture
def live(direct: KubeClient, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Start a life: a WorkPlan, its cluster, and operators that die one after the other."""
    monkeypatch.setattr(operator_module, "_DRAIN_SECONDS", 0.0)

    @asynccontextmanager
    async def start(
        answer: ResolveResult = NEW, outcome: str = "Succeeded", **spec: Any
    ) -> AsyncIterator[Life]:
        cluster = ScriptedCluster(direct, namespace, outcome)
        version = (await direct.list(WORK_PLANS, namespace)).resource_version
        seen = {
            kind.kind: Seen(direct, kind, namespace)
            for kind in (WORK_PLANS, DASK_CLUSTERS, DASK_WORKER_GROUPS, JOBS)
        }
        life = Life(direct, cluster, seen)
        await apply_workplans(direct, namespace, 1, **spec)
        over, versions = asyncio.Event(), dict[str, str]()

        async def die_again_and_again() -> None:
            while not over.is_set():
                life.deaths += await run_until_death(
                    direct, config(namespace), lambda _: answer, 1, versions, over
                )
                if len(life.deaths) > MOST_WRITES:
                    raise AssertionError(f"the writes never end: {life.deaths[-12:]}")

        async with asyncio.TaskGroup() as tasks:
            helpers = [tasks.create_task(each.run(version)) for each in seen.values()]
            helpers.append(tasks.create_task(cluster.run()))
            dying = tasks.create_task(die_again_and_again())
            yield life
            over.set()
            await dying
            for helper in helpers:
                helper.cancel()

    return start


def check(life: Life, clusters: int, least_deaths: int) -> None:
    """See that every observed state followed the rules, and that no child had a double."""
    states = [each for each in life.seen["WorkPlan"].states if not each["deleted"]]
    assert kstatus.broken_rules(states) == []
    for kind in ("DaskCluster", "Job"):
        assert len(life.seen[kind].uids()) == clusters, life.deaths
        assert life.seen[kind].most_at_once() <= 1
    assert len(life.deaths) >= least_deaths


async def test_new_plan(live: Callable[..., Any]) -> None:
    """A run ends well though the operator never survives a write, with the groups that it needs."""
    groups = [{"name": "gpu"}, {"name": "spot"}, {"name": "idle"}]
    plan = replace(NEW, groups={"gpu": 2, "spot": 1})
    async with live(plan, cluster={"workerGroups": groups}) as life:
        await life.ended("Current")
    check(life, clusters=1, least_deaths=14)
    sizes = {
        each["metadata"]["name"].rpartition("-")[2]: each["spec"]["worker"]["replicas"]
        for each in life.seen["DaskWorkerGroup"].states
    }
    assert (sizes["gpu"], sizes["spot"]) == (2, 1)
    assert len(life.seen["DaskWorkerGroup"].uids()) == 3  # the default one
    told = [
        state["status"]["cluster"]["workerGroups"]
        for state in life.seen["WorkPlan"].states
        if state.get("status", {}).get("cluster", {}).get("workerGroups")
    ]
    assert told
    assert all(
        each == [
            {"name": "gpu", "desiredWorkers": 2, "workers": 0},
            {"name": "spot", "desiredWorkers": 1, "workers": 0},
        ]
        for each in told
    )  # fmt: skip


async def test_known_plan(live: Callable[..., Any]) -> None:
    """A plan whose results are known needs no children, whatever dies."""
    async with live(Resolved(final_status=KNOWN)) as life:
        await life.ended("Current")
    check(life, clusters=0, least_deaths=2)


async def test_failing_plan_that_runs_again(live: Callable[..., Any]) -> None:
    """A run that fails ends as failed; the next one ends well, and no state between is wrong."""
    async with live(WITH_GROUP, outcome="Failed", cluster={"workerGroups": GROUP}) as life:
        await life.ended("Failed")
        life.cluster.outcome = "Succeeded"
        await life.annotate(**{"voxk8s.io/retry": "1"})
        await life.ended("Current")
    check(life, clusters=2, least_deaths=25)
    assert len(life.seen["DaskWorkerGroup"].uids()) == 4  # the default one, and another, twice


async def test_suspended_and_resumed(live: Callable[..., Any]) -> None:
    """A suspended run gives its cluster back; resumed, it ends and computes nothing again."""
    async with live(WITH_GROUP, cluster={"workerGroups": GROUP}) as life:
        life.cluster.holds = True
        await life.computing()
        await life.change(suspend=True)

        async def given_back() -> bool:
            left = await life.cluster.owned()
            return not (FOR_THE_RUN | {"Job"}) & set(left)

        await eventually(given_back, "the cluster is given back", 60)
        life.cluster.holds = False
        await life.change(suspend=False)
        await life.ended("Current")
        found = await life.workplan()
        assert found is not None
        assert found["status"]["operations"]["cached"] == 1
    check(life, clusters=2, least_deaths=25)
    assert len(life.seen["DaskWorkerGroup"].uids()) == 4


async def test_deleted_in_mid_run(live: Callable[..., Any]) -> None:
    """Of a run that is deleted nothing is left."""
    async with live(WITH_GROUP, cluster={"workerGroups": GROUP}) as life:
        life.cluster.holds = True
        await life.computing()
        await life.kube.delete(WORK_PLANS, "wp-00", life.cluster.namespace)
        await life.gone()
    check(life, clusters=1, least_deaths=8)


async def test_time_to_live(live: Callable[..., Any]) -> None:
    """A WorkPlan goes after its time, with everything of it."""
    async with live(ttlSecondsAfterFinished=1) as life:
        await life.gone()
    check(life, clusters=1, least_deaths=12)
