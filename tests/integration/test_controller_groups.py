"""Worker groups on a real API server: what their objects say becomes the WorkPlan's status."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import operators
from tests.support.kube_proxy import KubeProxy
from tests.support.operators import apply_workplans, config, eventually, wait_for_condition
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import (
    DASK_WORKER_GROUPS,
    EVENTS,
    PODS,
    WORK_PLANS,
)
from voxk8s.constants import LABEL_WORKER_GROUP
from voxk8s.controller.act import status_writer
from voxk8s.controller.resolve.resolution_state import Resolved

GROUPS = [{"name": "gpu", "maxWorkers": 2}, {"name": "spot"}]


async def group_of(kube: KubeClient, namespace: str, name: str) -> KubeObject:
    """Wait for the DaskWorkerGroup of a group and return it."""

    async def probe() -> KubeObject | None:
        found = (await kube.list(DASK_WORKER_GROUPS, namespace)).items
        of_group = (each for each in found if _group(each) == name)
        return next(of_group, None)

    return dict(await eventually(probe, f"worker group {name} exists"))


def _group(body: KubeObject) -> str:
    return str(body["metadata"]["labels"].get(LABEL_WORKER_GROUP, ""))


async def add_worker(kube: KubeClient, namespace: str, group: KubeObject, name: str) -> None:
    """Add a pod of a group, as dask-kubernetes does, that is ready."""
    template, cluster = group["spec"]["worker"], group["spec"]["cluster"]
    labels = {**template["metadata"]["labels"], "dask.org/cluster-name": cluster}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "containers": [{"name": "worker", "image": "img:1"}],
            "automountServiceAccountToken": False,
        },
    }
    await kube.create(PODS, body, namespace)
    ready = {"type": "Ready", "status": "True"}
    await kube.patch(
        PODS, name, {"status": {"conditions": [ready]}}, namespace, subresource="status"
    )


async def test_workers_that_the_api_server_refuses(
    kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """The dask operator says so in an event about the group, which becomes a condition."""
    answer = Resolved(threads=3, groups={"gpu": 1})
    async with operators.running(kube, config(namespace), lambda _: answer):
        await apply_workplans(direct, namespace, 1, cluster={"workerGroups": GROUPS})
        dask = operators.DaskOperator(direct, namespace)
        await eventually(lambda: operators.handled(dask, 1), "the cluster exists")
        group = await group_of(direct, namespace, "gpu")
        message = "Handler failed\nTraceback:\nkr8s.ServerError: requests above limits\n"
        about = {
            "apiVersion": group["apiVersion"],
            "kind": group["kind"],
            "namespace": namespace,
            "name": group["metadata"]["name"],
            "uid": group["metadata"]["uid"],
        }
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "kopf-event", "namespace": namespace},
            "involvedObject": about,
            "type": "Error",
            "reason": "Logging",
            "message": message,
        }
        await direct.create(EVENTS, event, namespace)
        found = await wait_for_condition(
            direct, namespace, "wp-00", "ClusterReady", "kr8s.ServerError: requests above limits"
        )
        assert found["reason"] == "DaskOperatorFailed"


async def test_numbers_of_groups(
    proxy: KubeProxy,
    kube: KubeClient,
    direct: KubeClient,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are in the status and stay as they are written; three workers are one write or two.

    The last worker is written with a change that does not wait, and all go with the cluster.
    """
    monkeypatch.setattr(status_writer, "SETTLE_SECONDS", 2.0)
    answer = Resolved(threads=3, groups={"spot": 1, "gpu": 2})

    async def told() -> dict[str, Any]:
        status = (await direct.get(WORK_PLANS, "wp-00", namespace))["status"]
        return dict(status.get("cluster") or {})

    def numbers(gpu: int, spot: int) -> list[dict[str, Any]]:
        return [
            {"name": "gpu", "desiredWorkers": 2, "workers": gpu},
            {"name": "spot", "desiredWorkers": 1, "workers": spot},
        ]

    async with operators.running(kube, config(namespace), lambda _: answer):
        await apply_workplans(direct, namespace, 1, cluster={"workerGroups": GROUPS})
        dask = operators.DaskOperator(direct, namespace)
        await eventually(lambda: operators.handled(dask, 1), "the cluster exists")

        async def counted(gpu: int, spot: int) -> bool:
            return (await told()).get("workerGroups") == numbers(gpu, spot)

        await eventually(lambda: counted(0, 0), "the groups are told")
        group = await group_of(direct, namespace, "gpu")
        await add_worker(direct, namespace, group, "g-0")
        await eventually(lambda: counted(1, 0), "the first worker is told")
        before = proxy.count("PATCH", "workplans/wp-00/status")
        await add_worker(direct, namespace, group, "g-1")
        await add_worker(direct, namespace, await group_of(direct, namespace, "spot"), "s-0")
        await eventually(lambda: counted(2, 1), "all are told")
        assert proxy.count("PATCH", "workplans/wp-00/status") - before <= 2
        assert (await told())["workers"] == 3
        await direct.patch(WORK_PLANS, "wp-00", {"spec": {"suspend": True}}, namespace)

        async def released() -> bool:
            found = await told()
            return "workerGroups" not in found and found["workers"] == 0

        await eventually(released, "the numbers went with the cluster")
