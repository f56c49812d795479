"""The HTTP endpoints of the probes and of Prometheus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from voxk8s.controller.health import serve_health, serve_metrics
from voxk8s.controller.metrics import Metrics


class State:
    """A scripted health of the operator."""

    def __init__(self) -> None:
        self.problem = ""
        self.waiting = "the caches are not synced yet"

    def liveness_error(self) -> str:
        """Return the scripted liveness error."""
        return self.problem

    def readiness_error(self) -> str:
        """Return the scripted readiness error."""
        return self.waiting


class Server:
    """A server and its state."""

    def __init__(self, state: State, address: str) -> None:
        self.state = state
        self.address = address

    async def ask(self, path: str) -> tuple[int, str]:
        """Return status and text of a response."""
        async with aiohttp.ClientSession() as session, session.get(self.address + path) as answer:
            return answer.status, await answer.text()


def local_address(addresses: list[Any]) -> str:
    """Return the IPv4 address: each protocol has its own port."""
    port = next(address[1] for address in addresses if len(address) == 2)
    return f"http://127.0.0.1:{port}"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """The health server on a free port."""
    state = State()
    runner = await serve_health(state, 0)
    yield Server(state, local_address(runner.addresses))
    await runner.cleanup()


async def test_readiness(server: Server) -> None:
    """An operator is alive at once, and ready once it has no readiness error."""
    assert (await server.ask("/healthz"))[0] == 200
    assert await server.ask("/readyz") == (503, "the caches are not synced yet")
    server.state.waiting = ""
    assert (await server.ask("/readyz"))[0] == 200


async def test_liveness(server: Server) -> None:
    """A liveness error fails the probe and is the text of the response."""
    server.state.problem = "the watch of pods is silent"
    assert await server.ask("/healthz") == (503, "the watch of pods is silent")


async def test_metrics_endpoint() -> None:
    """/metrics serves the text of the metrics."""
    metrics = Metrics()
    runner = await serve_metrics(metrics, 0)
    status, text = await Server(State(), local_address(runner.addresses)).ask("/metrics")
    await runner.cleanup()
    assert (status, text) == (200, metrics.text().decode())
