"""An operator on a real API server that refuses, hangs, lags and forgets."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest

from tests.support import operators, workplans
from tests.support.api_server import ApiServer, make_namespace
from tests.support.kube_proxy import Asked, Fault, KubeProxy
from tests.support.operators import apply_workplans, config, eventually, wait_for_condition
from tests.support.waiting import until
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Conflict
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    JOBS,
    LEASES,
    PODS,
    WORK_PLANS,
)
from voxk8s.controller.decide.policies import completion, lost_pods
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.parse_views import JOB_LABEL
from voxk8s.controller.resolve.resolution_state import Resolved

QUOTA = Fault(403, "exceeded quota: no more clusters", "Forbidden")
BUSY = Fault(429, "too many requests", "TooManyRequests")


def refusing(method: str, part: str, fault: Fault) -> Any:
    """Return a fault for requests of a method whose path has a part."""
    return lambda asked: fault if asked.method == method and part in asked.path else None


async def test_refused_children_are_not_asked_for_without_end(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """Ten WorkPlans whose DaskClusters are refused: a few attempts each, and a condition."""
    proxy.fault = refusing("POST", "daskclusters", QUOTA)
    async with operators.running(kube, config(namespace)):
        names = await apply_workplans(direct, namespace, 10)
        for name in names:
            found = await wait_for_condition(direct, namespace, name, "ClusterReady", "quota")
            assert found["reason"] == "PodRejected"
        await asyncio.sleep(5)  # the length of what is counted
        counted = proxy.count("POST", "daskclusters")
        assert counted <= 10 * 5
        assert proxy.count("POST") - counted <= 10 * 15
        proxy.fault = lambda _: None
        await eventually(
            lambda: operators.exist(direct, DASK_CLUSTERS, namespace, 10), "quota is free", 60
        )


async def test_many_namespaces(direct: KubeClient, api_server: ApiServer, proxy: KubeProxy) -> None:
    """With 20 namespaces, 160 watches, the operator leads and works."""
    namespaces = [await make_namespace(direct) for _ in range(20)]
    async with await KubeClient.connect(
        {"KUBECONFIG": str(api_server.kubeconfig(proxy.url))}, connections=0
    ) as kube:
        settings = config(*namespaces, leader_election=True, lease_name=f"many-{namespaces[0]}")
        async with operators.running(kube, settings) as operator:
            await apply_workplans(direct, namespaces[-1], 1)
            await eventually(
                lambda: operators.exist(direct, JOBS, namespaces[-1], 1), "the run starts", 60
            )
            assert operator._leading


async def test_success_that_the_watch_has_not_told(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A run whose outcome the operator does not see yet is no run that ended in silence."""
    monkeypatch.setattr(completion, "OUTCOME_GRACE", timedelta(0))
    async with operators.running(kube, config(namespace)):
        await operators.start_runs(direct, namespace, 1)
        proxy.lagging.add("workplans")
        outcome = {"state": "Succeeded", "reason": "AllGoalsReached", "message": "all"}
        await direct.patch(
            WORK_PLANS, "wp-00", {"status": {"outcome": outcome}}, namespace, subresource="status"
        )
        await operators.finish_job(direct, namespace)
        found = await wait_for_condition(direct, namespace, "wp-00", "Succeeded", "AllGoals")
        assert found["status"] == "True"
        stalled = await operators.condition(direct, namespace, "wp-00", "Stalled")
        assert stalled["status"] == "False"


async def test_leader_whose_renewals_hang(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """It stops and writes nothing any more before its lease ends."""
    settings = config(namespace, leader_election=True, lease_name=f"lease-{namespace}")
    operator = operators.make(kube, settings)
    operator._elector.renew_within, operator._elector.duration = 2.0, 6.0
    operator._elector.retry = 0.3
    running = asyncio.create_task(operator.run(asyncio.Event()))
    await until(lambda: operator._leading)
    lease = await direct.get(LEASES, settings.lease_name, "default")
    proxy.fault = lambda asked: Fault(hang=True) if "leases" in asked.path else None
    began = asyncio.get_running_loop().time()
    applying = asyncio.create_task(apply_workplans(direct, namespace, 20))
    await until(lambda: not operator._leading)
    assert asyncio.get_running_loop().time() < began + operator._elector.duration
    assert not await asyncio.wait_for(running, 30)
    await applying
    writes = [each for each in proxy.asked if each.writes and "leases" not in each.path]
    assert all(each.at < began + operator._elector.duration for each in writes)
    assert (await direct.get(LEASES, settings.lease_name, "default"))["spec"]["holderIdentity"] == (
        lease["spec"]["holderIdentity"]
    )


async def test_storm_of_expired_watches(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """An API server that expires each watch at once gets a list a second or less for each kind."""
    gone = Fault(410, "too old resource version", "Expired")
    proxy.fault = lambda asked: gone if asked.watches else None
    async with operators.running(kube, config(namespace)) as operator:
        await until(lambda: operator._state.synced)
        await asyncio.sleep(5)  # the length of what is counted
        lists = sum(each.lists and "daskclusters" in each.path for each in proxy.asked)
        assert 2 <= lists <= 6


async def test_large_plans_do_not_stay_in_memory(direct: KubeClient, namespace: str) -> None:
    """Of 120 WorkPlans with a plan of 1.1 MB each only the heads are kept."""
    nodes = [workplans.constant(f"c{place}", "x" * 1000) for place in range(1100)]
    plan = workplans.document(nodes, [workplans.show("c0")])
    for place in range(120):
        await direct.create(WORK_PLANS, workplans.workplan(f"wp-{place}", plan), namespace)
    state = ClusterState(lambda _: None, lambda _: None)
    gc.collect()
    tracemalloc.start()
    running = asyncio.create_task(state.run(direct, (namespace,), lambda: 0.0))
    await until(lambda: state.synced, 100)
    gc.collect()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(state.workplans.items()) == 120
    assert kept < 8e6
    assert peak < 80e6


async def test_clock_that_is_ahead(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """A machine whose clock is 15 s ahead does not take a new cluster for an old one."""
    local = kube.server_clock.local
    kube.server_clock.local = lambda: local() + timedelta(seconds=15)
    async with operators.running(kube, config(namespace)):
        await apply_workplans(direct, namespace, 5)
        dask = operators.DaskOperator(direct, namespace)
        await eventually(lambda: operators.handled(dask, 5, groups=False), "schedulers exist")
        await eventually(
            lambda: operators.exist(direct, DASK_AUTOSCALERS, namespace, 5),
            "the schedulers were seen",
        )
        assert proxy.count("DELETE", "daskclusters") == 0


async def test_rejected_status_is_a_condition(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """An end that the API server does not accept is reported with its words."""
    refuse = Fault(422, "status.results[0].goal: Too long", "Invalid")

    def fault(asked: Asked) -> Fault | None:
        return refuse if asked.method == "PATCH" and b'"results"' in asked.body else None

    proxy.fault = fault
    part = {"progress": "1/1", "results": [{"goal": "sum", "kind": "print", "value": 8}]}
    answer = Resolved(final_status=part)
    async with operators.running(kube, config(namespace), lambda _: answer):
        await apply_workplans(direct, namespace, 1)
        await wait_for_condition(direct, namespace, "wp-00", "Ready", "goal: Too long")
        proxy.fault = lambda _: None
        found = await wait_for_condition(direct, namespace, "wp-00", "Succeeded", "AllGoals")
        assert found["status"] == "True"


async def test_deletions_name_the_uid(direct: KubeClient, namespace: str) -> None:
    """The API server refuses to delete an object of the same name with another uid."""
    await apply_workplans(direct, namespace, 1)
    with pytest.raises(Conflict):
        await direct.delete(WORK_PLANS, "wp-00", namespace, uid="another")


@pytest.mark.timeout(500)
async def test_store_of_the_api_server_is_restored(
    api_server: ApiServer, namespace: str, direct: KubeClient
) -> None:
    """After a restore of etcd, with lower versions, the informers show what is there."""
    await apply_workplans(direct, namespace, 2)
    api_server.pause()
    snapshot = api_server.snapshot()
    api_server.resume()
    await direct.delete(WORK_PLANS, "wp-01", namespace)
    for priority in range(1, 30):
        await direct.patch(WORK_PLANS, "wp-00", {"spec": {"priority": priority}}, namespace)
    state = ClusterState(lambda _: None, lambda _: None)
    state.workplans.silence = 2.0
    running = asyncio.create_task(state.run(direct, (namespace,), lambda: 0.0))
    await until(lambda: state.synced)
    api_server.pause()
    api_server.restore(snapshot)
    api_server.resume()

    def restored() -> bool:
        found = state.workplans.get(namespace, "wp-00")
        return len(state.workplans.items()) == 2 and found is not None and not found.spec.priority

    await until(restored, 60)
    await direct.patch(WORK_PLANS, "wp-00", {"spec": {"priority": 5}}, namespace)
    await until(lambda: state.workplans.get(namespace, "wp-00").spec.priority == 5, 60)  # type: ignore[union-attr]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_runner_on_a_lost_node(
    kube: KubeClient, direct: KubeClient, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pod should have ended and does not: that is a condition, and then another Job is made."""
    monkeypatch.setattr(lost_pods, "REPORT_AFTER", timedelta(seconds=1))
    monkeypatch.setattr(lost_pods, "ABANDON_AFTER", timedelta(seconds=5))
    async with operators.running(kube, config(namespace)):
        await operators.start_runs(direct, namespace, 1)
        (job,) = (await direct.list(JOBS, namespace)).items
        template = job["spec"]["template"]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "lost",
                "labels": template["metadata"]["labels"] | {JOB_LABEL: job["metadata"]["name"]},
            },
            "spec": {
                # No kubelet: it stays as the pod of a lost node does.
                "nodeName": "lost-node",
                "containers": [{"name": "runner", "image": "img:1"}],
                "terminationGracePeriodSeconds": 1,
                "automountServiceAccountToken": False,
            },
        }
        await direct.create(PODS, pod, namespace)
        await direct.delete(PODS, "lost", namespace)
        found = await wait_for_condition(direct, namespace, "wp-00", "ClusterReady", "lost-node")
        assert found["reason"] == "WorkerLost"

        async def another_job() -> bool:
            jobs = (await direct.list(JOBS, namespace)).items
            return [each["metadata"]["uid"] for each in jobs] not in ([], [job["metadata"]["uid"]])

        await eventually(another_job, "another runner's Job is made")
        assert await direct.find(PODS, "lost", namespace) is not None
