"""Servers that the integration tests share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support import api_server as servers
from tests.support import kube_proxy
from tests.support.api_server import ApiServer
from tests.support.kube_proxy import KubeProxy
from voxk8s.cluster.kube_client import KubeClient


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
async def namespace(direct: KubeClient) -> str:
    """A namespace of this test."""
    return await servers.make_namespace(direct)
