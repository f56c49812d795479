"""The HTTP endpoints of the probes and of Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import START
from voxk8s.cluster.kube_errors import KubeUnreachable
from voxk8s.controller.act.event_recorder import EventRecorder, build_event
from voxk8s.controller.decide.actions import EmitEvent
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


async def test_metrics() -> None:
    """WorkPlans by phase, the queue and reconciliations are counted."""
    metrics = Metrics()
    metrics.add_gauges(
        phases=lambda: ["Running", "Running", "Failed"],
        queue_length=lambda: 3,
        resolve_backlog=lambda: 1,
        leading=lambda: True,
    )
    with metrics.reconciling():
        metrics.count_error()
    runner = await serve_metrics(metrics, 0)
    address = local_address(runner.addresses)
    status, text = await Server(State(), address).ask("/metrics")
    await runner.cleanup()
    assert status == 200
    for line in (
        'voxk8s_workplans{phase="Running"} 2.0',
        "voxk8s_queue_length 3.0",
        "voxk8s_leader 1.0",
        "voxk8s_reconcile_errors_total 1.0",
        "voxk8s_reconcile_seconds_count 1.0",
    ):
        assert line in text


def test_event() -> None:
    """An event has its type, reason, truncated message, and the WorkPlan's uid."""
    event = build_event(
        build.workplan(), EmitEvent(True, "StoreUnreachable", "x" * 3000), "op", START
    )
    assert (event["type"], event["reason"]) == ("Warning", "StoreUnreachable")
    assert event["involvedObject"]["uid"] == "u-1"
    assert len(event["message"]) <= 1024
    assert event["metadata"]["namespace"] == "ns"


async def test_errors_are_ignored() -> None:
    """An error while creating an event is ignored."""
    kube: Any = ScriptedKube()

    async def create_event(_: object) -> None:
        raise KubeUnreachable("away")

    kube.create_event = create_event
    recorder = EventRecorder(kube, "op", lambda: START)
    recorder.emit(build.workplan(), EmitEvent(False, "Accepted", ""))
    await asyncio.wait_for(recorder.flush(), 1)
