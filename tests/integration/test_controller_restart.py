"""An operator that starts while the API server refuses some requests deletes nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.support import operators
from tests.support.api_server import make_namespace
from tests.support.kube_proxy import Fault, KubeProxy
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import DASK_AUTOSCALERS, DASK_CLUSTERS, DASK_WORKER_GROUPS
from voxk8s.controller import operator as operator_module
from voxk8s.controller.act import orphans
from voxk8s.controller.decide.policies import recovery
from voxk8s.controller.operator import Operator

RUNS = 10
OUTAGE_SECONDS = 6.0
BUSY = Fault(429, "too many requests", "TooManyRequests")


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Periods of grace are over at once: the runs are old, and the outage lasts."""
    monkeypatch.setattr(operator_module, "_SYNC_SECONDS", 0.5)
    monkeypatch.setattr(recovery, "WORKER_GROUP_GRACE", timedelta(0))
    monkeypatch.setattr(recovery, "OPERATOR_GRACE", timedelta(0))
    monkeypatch.setattr(orphans, "ORPHAN_GRACE", timedelta(0))


async def alive(kube: KubeClient, namespace: str) -> dict[str, list[str]]:
    """Return the uids of what must survive, by kind."""
    return {
        each.kind: sorted(
            item["metadata"]["uid"]
            for item in (await kube.list(each, namespace)).items
            if "deletionTimestamp" not in item["metadata"]
        )
        for each in (DASK_CLUSTERS, DASK_AUTOSCALERS, DASK_WORKER_GROUPS)
    }


async def restart_in_an_outage(
    kube: KubeClient, proxy: KubeProxy, part: str, *namespaces: str
) -> None:
    """Run an operator for whose first seconds all requests for `part` are refused."""
    proxy.fault = lambda asked: BUSY if part in asked.path else None
    async with operators.running(kube, operators.config(*namespaces)) as operator:
        await asyncio.sleep(OUTAGE_SECONDS)
        proxy.fault = lambda _: None
        synced = operator._state.wait_for_sync(60)
        await synced
        await operators.eventually(_idle(operator), "everything is reconciled")


def _idle(operator: Operator) -> operators.Probe:
    async def probe() -> bool:
        queue = operator._queue
        return operator._state.synced and not len(queue) and not queue._busy

    return probe


@pytest.mark.parametrize("part", ["daskworkergroups", "daskclusters", "deployments"])
async def test_kind_that_cannot_be_listed(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str, part: str,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    """While lists of one kind are refused, no run counts as without its objects."""
    async with operators.running(kube, operators.config(namespace)):
        await operators.start_runs(direct, namespace, RUNS)
    before = await alive(direct, namespace)
    assert [len(uids) for uids in before.values()] == [RUNS] * 3
    request.getfixturevalue("no_grace")
    await restart_in_an_outage(kube, proxy, part, namespace)
    assert await alive(direct, namespace) == before
    assert proxy.count("DELETE") == 0


async def test_namespace_that_cannot_be_listed(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    """The list of one namespace says nothing about the objects of another one."""
    second = await make_namespace(direct)
    async with operators.running(kube, operators.config(namespace, second)):
        await operators.start_runs(direct, second, RUNS)
    before = await alive(direct, second)
    request.getfixturevalue("no_grace")
    await restart_in_an_outage(kube, proxy, f"{second}/daskclusters", namespace, second)
    assert await alive(direct, second) == before
    assert proxy.count("DELETE") == 0
