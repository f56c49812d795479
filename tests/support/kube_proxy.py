"""A proxy in front of a real API server that refuses, delays, cuts and silences as a test says.

It runs in the event loop of the test and speaks plain HTTP to its clients.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import msgspec
from aiohttp import web

from tests.support.api_server import ApiServer
from voxk8s.cluster.kube_client import KubeClient

_FORWARDED = ("Accept", "Content-Type", "Authorization", "User-Agent")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a client sent, with the time of the event loop."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    at: float

    @property
    def watches(self) -> bool:
        """Whether it is a watch."""
        return self.query.get("watch") == "true"

    @property
    def lists(self) -> bool:
        """Whether it may be a list: a GET that is no watch."""
        return self.method == "GET" and not self.watches

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request instead of its answer.

    `status`, `message`, `reason` and `retry_after` are an answer; without a status the connection
    is cut, or, with `hang`, stays silent. With `after` the API server has done its work before.
    `delay` is in seconds; with `passes` nothing else happens.
    """

    status: int = 0
    message: str = "scripted"
    reason: str = ""
    retry_after: int | None = None
    hang: bool = False
    after: bool = False
    delay: float = 0.0
    passes: bool = False


@dataclass(slots=True)
class KubeProxy:
    """A proxy that runs; `fault` may be replaced at any time."""

    server: ApiServer
    fault: Callable[[Asked], Fault | None] = lambda _: None
    lagging: set[str] = field(default_factory=set)
    """Plural names of the resources whose watches deliver nothing until they are removed here."""
    clock_step: float = 0.0
    """Seconds by which the API server's clock is ahead, as its answers tell."""
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    _session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def connect(self) -> KubeClient:
        """Open a client that asks through the proxy."""
        return await self.server.connect(self.url)

    def count(self, method: str, part: str = "", **query: str) -> int:
        """How many requests of a method had a path with `part` and these parameters."""
        return sum(
            each.method == method and part in each.path and query.items() <= each.query.items()
            for each in self.asked
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one request."""
        body = await request.read()
        asked = Asked(
            request.method, request.path, dict(request.query), body,
            asyncio.get_running_loop().time(),
        )  # fmt: skip
        self.asked.append(asked)
        fault = self.fault(asked)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and not fault.passes:
            if fault.after:
                async with self._send(request, body) as answer:
                    await answer.read()
            return await self._fail(request, asked, fault)
        try:
            return await self._pass_on(request, asked)
        except aiohttp.ClientError:  # One of the two has gone: so does the connection of the other.
            return await self._fail(request, asked, Fault())

    async def _pass_on(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """Send a request on, and its answer back as it comes."""
        async with self._send(request, asked.body) as answer:
            response = web.StreamResponse(status=answer.status)
            response.headers["Content-Type"] = answer.headers.get("Content-Type", "")
            for name in ("Retry-After", "Date"):
                if name in answer.headers:
                    response.headers[name] = answer.headers[name]
            if self.clock_step:
                now = datetime.now(UTC) + timedelta(seconds=self.clock_step)
                response.headers["Date"] = format_datetime(now, usegmt=True)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                while asked.watches and self._lags(asked):  # noqa: ASYNC110 - a set has no event
                    await asyncio.sleep(0.01)
                await response.write(chunk)
            return response

    def _lags(self, asked: Asked) -> bool:
        return any(name in asked.path for name in self.lagging)

    def _send(self, request: web.Request, body: bytes) -> aiohttp.client._RequestContextManager:
        assert self._session is not None
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        return self._session.request(
            request.method, f"{self.server.url}{request.path_qs}", data=body, headers=headers,
            ssl=False, timeout=aiohttp.ClientTimeout(total=None),
        )  # fmt: skip

    async def _fail(self, request: web.Request, asked: Asked, fault: Fault) -> web.StreamResponse:
        if fault.hang:
            response = web.StreamResponse()
            if asked.watches:
                await response.prepare(request)
            await asyncio.Event().wait()
        if not fault.status:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        status = {
            "kind": "Status",
            "code": fault.status,
            "reason": fault.reason,
            "message": fault.message,
            "details": {"name": "scripted"},
        }
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return web.Response(
            status=fault.status, body=msgspec.json.encode(status), headers=headers,
            content_type="application/json",
        )  # fmt: skip


@asynccontextmanager
async def proxied(
    server: ApiServer, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[KubeProxy]:
    """Run a proxy in front of a server until the block ends; with `tls`, clients speak TLS."""
    proxy = KubeProxy(server)
    application = web.Application(client_max_size=2**26)
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, read_bufsize=2**21) as session:
        proxy._session = session
        await runner.setup()
        site = web.TCPSite(runner, host, 0, backlog=1024, ssl_context=tls)
        await site.start()
        proxy.port = runner.addresses[0][1]
        try:
            yield proxy
        finally:
            await runner.cleanup()
