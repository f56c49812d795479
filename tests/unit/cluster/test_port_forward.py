"""Ports of pods as addresses of this machine."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.forwarding_kube import ForwardingKube, serving
from voxk8s.cli.connection import with_cluster
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Forbidden, NotFound
from voxk8s.cluster.port_forward import (
    PodPort,
    find_pod,
    forward_port,
    local_endpoint,
    service_of,
)
from voxk8s.cluster.resources import PODS
from voxk8s.errors import InvalidUsage


@pytest.fixture
def server() -> Iterator[ForwardingKube]:
    """Return an API server that can forward ports."""
    with serving() as found:
        yield found


@pytest.fixture
async def kube(server: ForwardingKube, tmp_path: Path) -> AsyncIterator[KubeClient]:
    """Return a client of it."""
    path = server.kubeconfig(tmp_path, "lab")
    async with await KubeClient.connect({"KUBECONFIG": str(path)}) as client:
        yield client


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_bytes_go_both_ways_on_each_connection(
    server: ForwardingKube, kube: KubeClient
) -> None:
    """Whole and in order, however they are cut into messages; connections do not mix."""
    echo = await asyncio.start_server(_echo, "127.0.0.1", 0)
    server.put_server("store", "system", 8333, echo.sockets[0].getsockname()[1])
    target = await find_pod(kube, "store", "system", 8333)
    async with forward_port(kube, target) as address:
        host, _, port = address.partition(":")

        async def try_it() -> None:
            sent = os.urandom(300_000)
            reader, writer = await asyncio.open_connection(host, int(port))
            writing = asyncio.create_task(_send(writer, sent))
            assert await reader.readexactly(len(sent)) == sent
            await writing
            writer.close()

        await asyncio.gather(try_it(), try_it())
    echo.close()


async def test_who_has_said_all_gets_the_answer(server: ForwardingKube, kube: KubeClient) -> None:
    """A client may close its half of a connection before the server answers."""
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await may_answer.wait()
        writer.write(b"answer")
        writer.close()

    late = await asyncio.start_server(answer, "127.0.0.1", 0)
    server.put_server("store", "system", 8333, late.sockets[0].getsockname()[1])
    async with forward_port(kube, PodPort("store-0", "system", 8333)) as address:
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"question\n")
        writer.write_eof()
        await asked.wait()
        reading = asyncio.create_task(reader.read())
        await asyncio.wait([reading], timeout=0.1)
        may_answer.set()
        assert await reading == b"answer"
        writer.close()
    late.close()


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def test_who_may_not_look_at_services_needs_only_the_right_on_a_pod(
    server: ForwardingKube, kube: KubeClient
) -> None:
    """It is then the first one of a StatefulSet of that name."""
    server.forbidden = {"services"}
    assert await find_pod(kube, "store", "system", 8333) == PodPort("store-0", "system", 8333)


async def test_a_refusal_is_known_at_once(server: ForwardingKube, kube: KubeClient) -> None:
    """Nothing listens then; so is a pod that does not exist, and one that is not ready."""
    server.forbidden = {"portforward"}
    with pytest.raises(Forbidden, match="pod store-0 in namespace system is refused"):
        async with forward_port(kube, PodPort("store-0", "system", 8333)):
            pass
    server.forbidden = set()
    with pytest.raises(NotFound):
        async with forward_port(kube, PodPort("store-0", "system", 8333)):
            pass
    server.put_server("store", "system", 8333, 1)
    server.objects["namespaces/system/pods/store-0"]["status"] = {}
    with pytest.raises(NotFound, match="no pod behind Service store in namespace system is ready"):
        await find_pod(kube, "store", "system", 8333)


async def test_a_service_without_a_selector_leads_to_no_pod(
    server: ForwardingKube, kube: KubeClient
) -> None:
    """Its server is elsewhere: any pod of the namespace would get the requests."""
    server.put_server("other", "system", 8333, 1)
    server.put("namespaces/system/services/store", {"spec": {"ports": [{"port": 8333}]}})
    with pytest.raises(NotFound, match="Service store in namespace system selects no pods"):
        await find_pod(kube, "store", "system", 8333)


def test_connections_leave_room_for_requests(
    server: ForwardingKube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser keeps many open, while the command asks whether the pod is still there."""
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path, "lab")))

    async def action(kube: KubeClient, _: str) -> int:
        echo = await asyncio.start_server(_echo, "127.0.0.1", 0)
        server.put_server("store", "system", 8333, echo.sockets[0].getsockname()[1])
        async with (
            forward_port(kube, PodPort("store-0", "system", 8333)) as address,
            AsyncExitStack() as stack,
        ):
            host, _, port = address.partition(":")
            for _number in range(64):
                reader, writer = await asyncio.open_connection(host, int(port))
                stack.callback(writer.close)
                writer.write(b"x")
                await reader.readexactly(1)
            async with asyncio.timeout(3):
                await kube.get(PODS, "store-0", "system")
        echo.close()
        return 0

    assert with_cluster(argparse.Namespace(context=None, namespace=None), action) == 0


def test_endpoints_inside_of_the_cluster() -> None:
    """Names of Services need a port-forward; HTTPS cannot be verified behind one."""
    assert service_of("http://s3.voxk8s.svc.cluster.local:8333") == ("s3", "voxk8s", 8333)
    assert service_of("http://s3.voxk8s.svc") == ("s3", "voxk8s", 80)
    assert service_of("https://s3.eu-west-1.amazonaws.com") is None
    assert local_endpoint("http://s3.voxk8s.svc", "127.0.0.1:5") == "http://127.0.0.1:5"
    with pytest.raises(InvalidUsage, match="speaks HTTPS"):
        local_endpoint("https://s3.voxk8s.svc", "127.0.0.1:5")
