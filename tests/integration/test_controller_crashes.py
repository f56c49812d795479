"""An operator that is killed after every single write, through whole lives of WorkPlans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.support.lives import NEW, living
from tests.support.operators import config, eventually
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import DASK_CLUSTERS, WORK_PLANS
from voxk8s.controller.limits import Limits
from voxk8s.controller.resolve.resolution_state import Resolved

KNOWN = {
    "operations": {
        "total": 1, "cached": 1, "computed": 0, "failed": 0, "running": 0, "pending": 0,
    },
    "progress": "1/1",
    "results": [{"goal": "sum", "kind": "print", "value": 3.0}],
}  # fmt: skip
GROUP = [{"name": "gpu", "minWorkers": 1}]
WITH_GROUP = Resolved(threads=3, groups={"gpu": 1})


@pytest.fixture
def live(direct: KubeClient, namespace: str) -> Callable[..., Any]:
    """Start a life: a WorkPlan, its cluster, and operators that die one after the other."""
    return partial(living, direct, namespace)


async def test_new_plan(live: Callable[..., Any]) -> None:
    """A run ends well though the operator never survives a write, with the groups that it needs."""
    groups = [{"name": "gpu"}, {"name": "spot"}, {"name": "idle"}]
    plan = replace(NEW, groups={"gpu": 2, "spot": 1})
    async with live(plan, cluster={"workerGroups": groups}) as life:
        life.cluster.holds = True

        def told() -> list[Any]:
            statuses = [state.get("status") or {} for state in life.seen["WorkPlan"].states]
            groups = [(each.get("cluster") or {}).get("workerGroups") for each in statuses]
            return [each for each in groups if each]

        async def is_told() -> bool:
            return bool(told())

        await eventually(is_told, "the status tells of the groups", 60)
        life.cluster.holds = False
        await life.ended("Current")
    life.check(clusters=1, least_deaths=14)
    sizes = {
        each["metadata"]["name"].rpartition("-")[2]: each["spec"]["worker"]["replicas"]
        for each in life.seen["DaskWorkerGroup"].states
    }
    assert (sizes["gpu"], sizes["spot"]) == (2, 1)
    assert len(life.seen["DaskWorkerGroup"].uids()) == 3  # the default one
    assert all(
        each == [
            {"name": "gpu", "desiredWorkers": 2, "workers": 0},
            {"name": "spot", "desiredWorkers": 1, "workers": 0},
        ]
        for each in told()
    )  # fmt: skip


async def test_known_plan(live: Callable[..., Any]) -> None:
    """A plan whose results are known needs no children, whatever dies."""
    async with live(Resolved(final_status=KNOWN)) as life:
        await life.ended("Current")
    life.check(clusters=0, least_deaths=2)


async def test_failing_plan_that_runs_again(live: Callable[..., Any]) -> None:
    """A run that fails ends as failed; the next one ends well, and no state between is wrong."""
    async with live(WITH_GROUP, outcome="Failed", cluster={"workerGroups": GROUP}) as life:
        await life.ended("Failed")
        life.cluster.outcome = "Succeeded"
        await life.annotate(**{"voxk8s.io/retry": "1"})
        await life.ended("Current")
    life.check(clusters=2, least_deaths=25)
    assert len(life.seen["DaskWorkerGroup"].uids()) == 4  # the default one, and another, twice


async def test_suspended_and_resumed(live: Callable[..., Any]) -> None:
    """A suspended run gives its cluster back; resumed, it ends and computes nothing again."""
    async with live(WITH_GROUP, cluster={"workerGroups": GROUP}) as life:
        life.cluster.holds = True
        await life.computing()
        await life.change(suspend=True)
        await life.given_back()
        life.cluster.holds = False
        await life.change(suspend=False)
        await life.ended("Current")
        (found,) = await life.workplans()
        assert found["status"]["operations"]["cached"] == 1
    life.check(clusters=2, least_deaths=25)
    assert len(life.seen["DaskWorkerGroup"].uids()) == 4


async def test_deleted_in_mid_run(
    live: Callable[..., Any], direct: KubeClient, namespace: str
) -> None:
    """Of a run that is deleted nothing is left."""
    async with live(WITH_GROUP, cluster={"workerGroups": GROUP}) as life:
        life.cluster.holds = True
        await life.computing()
        await direct.delete(WORK_PLANS, "wp-00", namespace)
        await life.gone()
    life.check(clusters=1, least_deaths=8)


async def test_time_to_live(live: Callable[..., Any]) -> None:
    """A WorkPlan goes after its time, with everything of it."""
    async with live(ttlSecondsAfterFinished=1) as life:
        await life.gone()
    life.check(clusters=1, least_deaths=12)


async def test_runs_that_wait_for_each_other(live: Callable[..., Any], namespace: str) -> None:
    """Where only one cluster may be, there is never another one, and all runs end."""
    settings = config(namespace, limits=Limits(clusters=1))
    async with live(count=3, settings=settings) as life:
        await life.ended("Current")
    life.check(clusters=3, least_deaths=30)


async def test_cluster_that_is_replaced(
    live: Callable[..., Any], direct: KubeClient, namespace: str
) -> None:
    """A run whose Dask cluster is marked as failed gets another one, once, and goes on."""
    async with live() as life:
        life.cluster.holds = True
        await life.computing()
        (cluster,) = (await direct.list(DASK_CLUSTERS, namespace)).items
        body = {"status": {"phase": "Error"}}
        await direct.patch(DASK_CLUSTERS, cluster["metadata"]["name"], body, namespace)
        await life.replaced(cluster["metadata"]["uid"])
        life.cluster.holds = False
        await life.ended("Current")
    life.check(clusters=2, runners=1, least_deaths=20)


async def test_cluster_that_is_kept_after_a_failure(live: Callable[..., Any]) -> None:
    """It stays for its time, is given back then, and the end says the same throughout."""
    async with live(outcome="Failed", cluster={"keepOnFailureSeconds": 1}) as life:
        await life.ended("Failed")
    life.check(clusters=1, least_deaths=12)
