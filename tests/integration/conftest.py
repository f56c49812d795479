"""Servers that the integration tests share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from tests.support import api_server as servers
from tests.support import kstatus, kube_proxy
from tests.support.api_server import ApiServer
from tests.support.kube_proxy import KubeProxy
from tests.support.operators import follow_objects
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import WORK_PLANS


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    """A real API server with the CRDs; each test takes a namespace of its own."""

    async def install() -> None:
        async with await server.connect() as client:
            await servers.install_crds(client)

    with servers.serve() as server:
        asyncio.run(install())
        yield server


@pytest.fixture
async def direct(api_server: ApiServer) -> AsyncIterator[KubeClient]:
    """A client of the test itself, past the proxy."""
    async with await api_server.connect() as client:
        yield client


@pytest.fixture
async def proxy(api_server: ApiServer) -> AsyncIterator[KubeProxy]:
    """A proxy that lets everything pass until the test says otherwise."""
    async with kube_proxy.proxied(api_server) as running:
        yield running


@pytest.fixture
async def kube(proxy: KubeProxy) -> AsyncIterator[KubeClient]:
    """A client through the proxy, as the operator has."""
    async with await proxy.connect() as client:
        yield client


@pytest.fixture
async def namespace(direct: KubeClient) -> AsyncIterator[str]:
    """A namespace of this test; all states of its WorkPlans must follow the rules of kstatus."""
    name = await servers.make_namespace(direct)
    states: dict[str, list[KubeObject]] = {}
    watching = asyncio.create_task(_record(direct, name, states))
    yield name
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    broken = {
        of_one[-1]["metadata"]["name"]: faults
        for of_one in states.values()
        if (faults := kstatus.broken_rules(of_one))
    }
    assert broken == {}


async def _record(kube: KubeClient, namespace: str, states: dict[str, list[KubeObject]]) -> None:
    """Record metadata and status of each state of the WorkPlans, by uid, until cancelled."""
    async for each in follow_objects(kube, WORK_PLANS, namespace):
        state = {"metadata": each["metadata"], "status": each.get("status")}
        of_one = states.setdefault(each["metadata"]["uid"], [])
        if not of_one or of_one[-1] != state:
            of_one.append(state)
