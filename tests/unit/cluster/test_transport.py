"""Transport of a pod to the API server."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from tests.support.waiting import until
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import KubeConfigMissing
from voxk8s.cluster.resources import PODS
from voxk8s.cluster.transport import InClusterTransport, Request

ENV = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mounted service account; its CA is not read."""
    context = ssl.create_default_context()
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: context)
    (tmp_path / "token").write_text("first\n")
    return tmp_path


class Seen:
    """A server that records requests."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.bodies: list[Any] = []

    async def answer(self, request: web.Request) -> web.Response:
        """Answer everything with an empty object."""
        self.tokens.append(request.headers.get("Authorization", ""))
        self.bodies.append(await request.json() if request.can_read_body else None)
        return web.json_response({"metadata": {"resourceVersion": "1"}})


@asynccontextmanager
async def served(answer: Handler) -> AsyncIterator[str]:
    """Answer all requests; yields the URL."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_requests_have_the_current_token(account: Path) -> None:
    """Every request has the pod's token, which is read again after a minute."""
    seen, now = Seen(), [0.0]
    transport = InClusterTransport(ENV, 4, account, lambda: now[0])
    async with served(seen.answer) as transport.host, KubeClient(transport) as kube:
        await kube.get(PODS, "a", "ns")
        (account / "token").write_text("second")
        await kube.get(PODS, "a", "ns")
        now[0] = 61.0
        await kube.create(PODS, {"metadata": {"name": "a"}}, "ns")
    assert seen.tokens == ["Bearer first", "Bearer first", "Bearer second"]
    assert seen.bodies == [None, None, {"metadata": {"name": "a"}}]


async def test_what_is_not_sent_goes_with_the_connection(account: Path) -> None:
    """A machine must not send a write for a process that is gone, after writes of the next one."""
    asked = asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        await asked.wait()
        return web.Response()

    transport = InClusterTransport(ENV, 4, account)
    async with served(never) as url:
        request = Request("GET", url, {}, None, aiohttp.ClientTimeout(total=60))
        sending = asyncio.create_task(transport.send(request))
        connector = transport._opened().connector
        assert connector is not None
        # Before it has a transport it only holds a place.
        await until(lambda: any(each.transport is not None for each in connector._acquired))
        [connection] = connector._acquired
        assert connection.transport is not None
        linger = connection.transport.get_extra_info("socket").getsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, 8
        )
        asked.set()
        (await sending).close()
        await transport.close()
    assert struct.unpack("ii", linger) == (1, 0)


def test_address(account: Path) -> None:
    """The address is that of the Service kubernetes, in brackets for IPv6."""
    assert InClusterTransport(ENV, 4, account).host == "https://10.0.0.1:443"
    six = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert InClusterTransport(six, 4, account).host == "https://[fd00::1]:443"


def test_pod_without_a_token(tmp_path: Path) -> None:
    """Without a token the error names the setting of the pod."""
    with pytest.raises(KubeConfigMissing, match="automountServiceAccountToken"):
        InClusterTransport(ENV, 4, tmp_path)


async def test_unused_transport_can_be_closed(account: Path) -> None:
    """A transport without requests can be closed."""
    await InClusterTransport(ENV, 4, account).close()
