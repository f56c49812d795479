"""Runs that wait for quota, over a real API server with Kueue's own CRDs; tests act as Kueue."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.support import operators, scripted_kueue, workplans
from tests.support.kube_proxy import KubeProxy
from tests.support.lives import living
from tests.support.operators import config, eventually, wait_for_condition
from voxk8s.api.spec import MAX_WORKER_GROUPS
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    DASK_WORKER_GROUPS,
    JOBS,
    WORK_PLANS,
    WORKLOADS,
)
from voxk8s.constants import LABEL_QUEUE
from voxk8s.controller.resolve.resolution_state import Resolved, ResolveResult
from voxk8s.controller.resolve.resolve_request import ResolveRequest

KNOWN = Resolved(
    final_status={"progress": "1/1", "results": [{"goal": "sum", "kind": "print", "value": 3}]}
)
OUTCOME = {"state": "Succeeded", "reason": "AllGoalsReached", "message": "all"}


def answer(request: ResolveRequest) -> ResolveResult:
    """Resolve one plan as known and all others as new."""
    return KNOWN if "known" in request.run_folder else Resolved(threads=10)


async def apply(kube: KubeClient, namespace: str, name: str, **spec: Any) -> None:
    """Create a WorkPlan for the queue `lab`."""
    body = workplans.workplan(name, workplans.addition(1.0, 2.0), **spec)
    body["metadata"]["labels"] = {LABEL_QUEUE: "lab"}
    await kube.create(WORK_PLANS, body, namespace)


async def the_workload(kube: KubeClient, namespace: str) -> KubeObject:
    """Wait for the one Workload and return it."""

    async def probe() -> list[KubeObject]:
        return (await kube.list(WORKLOADS, namespace)).items

    (found,) = await eventually(probe, "the Workload exists")
    return dict(found)


async def none_left(kube: KubeClient, namespace: str, *kinds: Any) -> bool:
    """Whether there are no objects of these kinds."""
    return not any([(await kube.list(kind, namespace)).items for kind in kinds])


async def test_a_run_with_quota(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """It waits for Kueue to be there, for quota, loses and gets it again, and gives it up."""
    admitted = {"QuotaReserved": "True", "Admitted": "True"}
    running = partial(operators.running, kube, config(namespace, kueue=True), answer)
    gone = partial(none_left, direct, namespace)
    async with running():
        await apply(direct, namespace, "run", cluster={"maxWorkers": 4})
        await wait_for_condition(direct, namespace, "run", "Ready", "KueueMissing")
        asked = proxy.count("POST", "workloads")
        assert 1 <= asked <= 4
        await scripted_kueue.install(direct)
        workload = await the_workload(direct, namespace)
        await wait_for_condition(direct, namespace, "run", "Ready", "WaitingForQuota")
        await apply(direct, namespace, "known")
        await wait_for_condition(direct, namespace, "known", "Succeeded", "AllGoals")
        assert [each["count"] for each in workload["spec"]["podSets"]] == [1, 1, 3]
        assert workload["spec"]["queueName"] == "lab"
        assert await gone(DASK_CLUSTERS, JOBS)
        await scripted_kueue.decide(direct, namespace, workload, 2, **admitted)
        dask = operators.DaskOperator(direct, namespace)
        await eventually(partial(operators.handled, dask, 1), "the cluster exists")
        scaled = partial(operators.exist, direct, DASK_AUTOSCALERS, namespace, 1)
        await eventually(scaled, "the autoscaler exists")
    (cluster,) = (await direct.list(DASK_CLUSTERS, namespace)).items
    worker = cluster["spec"]["worker"]
    assert (worker["replicas"], worker["spec"]["nodeSelector"]) == (2, {"pool": "spot"})
    (job,) = (await direct.list(JOBS, namespace)).items
    assert job["spec"]["template"]["spec"]["tolerations"][0]["key"] == "spot"
    (autoscaler,) = (await direct.list(DASK_AUTOSCALERS, namespace)).items
    assert autoscaler["spec"]["maximum"] == 2
    assert len((await direct.list(WORKLOADS, namespace)).items) == 1  # None for known work.

    async with running():  # A restart: the run goes on, and now it is evicted.
        await scripted_kueue.decide(direct, namespace, workload, 2, **admitted, Evicted="True")
        await wait_for_condition(direct, namespace, "run", "Ready", "Evicted is True")
        await eventually(partial(gone, DASK_CLUSTERS, DASK_AUTOSCALERS), "the cluster is deleted")

        async def released() -> bool:
            # No garbage collector is here that would delete the Job in the background.
            status = (await the_workload(direct, namespace))["status"]
            states = {each["type"]: each["status"] for each in status["conditions"]}
            return "admission" not in status and states["QuotaReserved"] == "False"

        await eventually(released, "the quota is given back")
        await wait_for_condition(direct, namespace, "run", "Ready", "WaitingForQuota")
        await scripted_kueue.decide(direct, namespace, workload, 3, **admitted, Evicted="False")
        exist = partial(operators.exist, direct, JOBS, namespace, 1)
        await eventually(exist, "the run starts again")
        await direct.patch(
            WORK_PLANS, "run", {"status": {"outcome": OUTCOME}}, namespace, subresource="status"
        )
        await wait_for_condition(direct, namespace, "run", "Succeeded", "AllGoals")
        await operators.finish_job(direct, namespace)
        await eventually(partial(gone, WORKLOADS), "the Workload is deleted")


async def test_without_the_chart_value_the_label_means_nothing(
    kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """Kueue is not asked, and the run starts."""
    async with operators.running(kube, config(namespace), answer):
        await apply(direct, namespace, "run")
        exist = partial(operators.exist, direct, DASK_CLUSTERS, namespace, 1)
        await eventually(exist, "the run starts")


async def test_groups_with_quota(kube: KubeClient, direct: KubeClient, namespace: str) -> None:
    """Kueue takes as many groups as a WorkPlan may have; each runs where it was admitted."""
    await scripted_kueue.install(direct)
    names = [f"group-{place}" for place in range(MAX_WORKER_GROUPS)]
    found = Resolved(threads=10, groups=dict.fromkeys(names, 2))
    async with operators.running(kube, config(namespace, kueue=True), lambda _: found):
        groups = [{"name": name, "minWorkers": 1, "maxWorkers": 2} for name in names]
        await apply(direct, namespace, "run", cluster={"maxWorkers": 4, "workerGroups": groups})
        workload = await the_workload(direct, namespace)
        sets = {each["name"]: each for each in workload["spec"]["podSets"]}
        assert [sets[f"worker-{name}"]["count"] for name in names] == [2] * len(names)
        assert [name for name, each in sets.items() if "minCount" in each] == ["worker"]
        await scripted_kueue.decide(
            direct, namespace, workload, 2, QuotaReserved="True", Admitted="True"
        )
        exist = partial(operators.exist, direct, DASK_WORKER_GROUPS, namespace, len(names))
        await eventually(exist, "the groups exist")
        workers = [
            each["spec"]["worker"]
            for each in (await direct.list(DASK_WORKER_GROUPS, namespace)).items
        ]
        assert {each["replicas"] for each in workers} == {2}
        assert all(each["spec"]["nodeSelector"] == {"pool": "spot"} for each in workers)

        async def told() -> bool:
            status = (await direct.get(WORK_PLANS, "run", namespace))["status"]
            groups = (status.get("cluster") or {}).get("workerGroups") or ()
            return [each["name"] for each in groups] == names

        await eventually(told, "the groups are in the status")


async def test_an_operator_that_dies_after_each_write(direct: KubeClient, namespace: str) -> None:
    """A run gets quota, loses it and gets it again, with one Workload, and ends well."""
    await scripted_kueue.install(direct)
    queue = scripted_kueue.ScriptedKueue(direct, namespace)
    settings = config(namespace, kueue=True)
    others = (queue.run(),)
    async with living(direct, namespace, settings=settings, others=others, suspend=True) as life:
        life.cluster.holds = True
        await life.label(**{LABEL_QUEUE: "lab"})
        await life.change(suspend=False)
        await life.computing()
        queue.evicts = True
        await life.given_back()
        queue.evicts = life.cluster.holds = False
        await life.ended("Current")
        await eventually(partial(none_left, direct, namespace, WORKLOADS), "the Workload is gone")
    life.check(clusters=2, least_deaths=25)
    assert len(queue.seen) == 1
