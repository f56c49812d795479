"""An operator that dies after some writes: it cleans nothing up and sends nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from unittest.mock import patch

import aiohttp
import msgspec

from tests.support import operators
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.transport import Request, Transport
from voxk8s.controller import operator as operator_module
from voxk8s.controller.config import Config
from voxk8s.controller.resolve.resolution_state import ResolveResult
from voxk8s.controller.resolve.resolve_request import ResolveRequest


@dataclass(slots=True)
class MortalTransport:
    """Sends requests until so many writes changed something; from then on every request hangs.

    Writes are sent one after the other, so that a death is between two of them. `versions` has the
    resource versions that earlier writes gave: one that changes nothing gives the same again.
    """

    transport: Transport
    writes_left: int
    versions: dict[str, str]
    host: str = ""
    written: list[str] = field(default_factory=list)
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    _buried: asyncio.Event = field(default_factory=asyncio.Event)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Ask the same API server."""
        self.host = self.transport.host

    async def send(self, request: Request) -> aiohttp.ClientResponse:
        """Send a request, unless this operator is dead."""
        if request.method == "GET":
            return await self._unless_dead(await self.transport.send(request))
        async with self._one:
            await self._hang_if_dead()
            response = await self.transport.send(request)
            path = request.url.removeprefix(self.host).partition("?")[0]
            if response.status < 300 and await self._has_changed(path, response):
                self.written.append(f"{request.method} {path}")
                self.writes_left -= 1
                if not self.writes_left:
                    self.dead.set()
            return await self._unless_dead(response)

    async def open_websocket(self, url: str, protocol: str) -> aiohttp.ClientWebSocketResponse:
        """Operators open none."""
        raise NotImplementedError

    async def close(self) -> None:
        """End the requests that hang; the connections are those of others, too."""
        self._buried.set()

    async def _has_changed(self, path: str, response: aiohttp.ClientResponse) -> bool:
        metadata = msgspec.json.decode(await response.read()).get("metadata") or {}
        version = str(metadata.get("resourceVersion", ""))
        same = bool(version) and self.versions.get(path.removesuffix("/status")) == version
        self.versions[path.removesuffix("/status")] = version
        return not same

    async def _unless_dead(self, response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
        if self.dead.is_set():
            response.close()
        await self._hang_if_dead()
        return response

    async def _hang_if_dead(self) -> None:
        if self.dead.is_set():
            await self._buried.wait()
            raise aiohttp.ClientError("this operator is dead")


async def run_until_death(
    kube: KubeClient,
    settings: Config,
    answer: Callable[[ResolveRequest], ResolveResult],
    writes: int,
    versions: dict[str, str],
    over: asyncio.Event,
) -> list[str]:
    """Run an operator until it made so many writes, or until `over`; return the writes."""
    mortal = MortalTransport(kube._transport, writes, versions)
    operator = operators.make(KubeClient(mortal), settings, answer)
    with patch.object(operator_module, "_DRAIN_SECONDS", 0.0):  # a dead process finishes nothing
        running = asyncio.create_task(operator.run(asyncio.Event()))
        ends = [asyncio.create_task(event.wait()) for event in (mortal.dead, over)]
        await asyncio.wait([running, *ends], return_when=asyncio.FIRST_COMPLETED)
        mortal.dead.set()
        for task in (running, *ends):
            task.cancel()
        await asyncio.gather(running, *ends, return_exceptions=True)
    await mortal.close()
    return mortal.written
