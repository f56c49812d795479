"""Sees every state of the WorkPlans of a round and all their Dask clusters.

It has a proxy between operator and API server, which lets storms out and sets the clock that the
operator goes by.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support import kube_proxy
from tests.support.kube_proxy import Asked, Fault, KubeProxy
from tests.support.operators import follow_objects
from tests.tools.cluster.bare_processes import PKI
from tests.tools.cluster.kubeconfig import API_SERVER
from tests.tools.cluster.network import NODE_ADDRESS
from tests.tools.cluster.paths import KUBECONFIG
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import DASK_CLUSTERS, WORK_PLANS

_REASONS = {429: "TooManyRequests", 500: "InternalError", 410: "Expired"}
_SHARE = 0.7
"""The share of requests that a storm hits: some come through, as in real ones."""


@dataclass(slots=True)
class Witness:
    """The states of WorkPlans by uid, in the order in which a watch delivers them.

    `clusters` are the uids of the Dask clusters that each had.
    """

    states: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    clusters: dict[str, set[str]] = field(default_factory=dict)
    port: int = 0
    _proxy: KubeProxy | None = None
    _count: int = 0

    def clear(self) -> None:
        """Forget all of it."""
        self.states.clear()
        self.clusters.clear()

    def storm(self, status: int) -> None:
        """Let the proxy answer most requests of the operator with a status; 0 ends that."""
        assert self._proxy is not None
        self._proxy.fault = (lambda asked: self._fault(status, asked)) if status else lambda _: None

    def step_clock(self, seconds: float) -> None:
        """Let the answers to the operator tell a time that is so many seconds ahead."""
        assert self._proxy is not None
        self._proxy.clock_step = seconds

    def _fault(self, status: int, asked: Asked) -> Fault | None:
        self._count += 1
        if status == 410 and not asked.lists and not asked.watches:
            return None  # Only what reads a version can be told that it is too old.
        hit = (self._count * 7) % 10 < _SHARE * 10
        return Fault(status, "a storm", _REASONS[status]) if hit else None

    async def watch(self, kube: KubeClient, namespace: str) -> None:
        """Record until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_workplans(kube, namespace))
            group.create_task(self._watch_clusters(kube, namespace))

    async def _watch_workplans(self, kube: KubeClient, namespace: str) -> None:
        async for body in follow_objects(kube, WORK_PLANS, namespace):
            states = self.states.setdefault(body["metadata"]["uid"], [])
            versions = [each["metadata"]["resourceVersion"] for each in states]
            if body["metadata"]["resourceVersion"] not in versions:
                states.append(body)

    async def _watch_clusters(self, kube: KubeClient, namespace: str) -> None:
        async for body in follow_objects(kube, DASK_CLUSTERS, namespace):
            for owner in body["metadata"].get("ownerReferences", ()):
                self.clusters.setdefault(owner["uid"], set()).add(body["metadata"]["uid"])

    async def serve(self, started: threading.Event) -> None:
        """Serve the proxy until cancelled."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(PKI / "server.crt", PKI / "server.key")
        server: Any = _Server()
        async with kube_proxy.proxied(server, NODE_ADDRESS, context) as proxy:
            self._proxy, self.port = proxy, proxy.port
            started.set()
            while True:
                proxy.asked.clear()
                await asyncio.sleep(5)


class _Server:
    """The cluster's API server, as the proxy wants it."""

    url = API_SERVER


@dataclass(slots=True)
class Background:
    """An event loop in a thread, for the witness."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @contextmanager
    def running(self, work: Any) -> Iterator[None]:
        """Run a coroutine until the block ends."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            yield
        finally:
            future.cancel()
            with suppress(BaseException):
                future.result(10)


@contextmanager
def background() -> Iterator[Background]:
    """Run an event loop until the block ends."""
    found = Background()
    thread = threading.Thread(target=found.loop.run_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(_end_all(), found.loop).result(10)
        found.loop.call_soon_threadsafe(found.loop.stop)
        thread.join(10)


async def _end_all() -> None:
    """Cancel all other tasks of the loop and wait for their end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.wait(others, timeout=5) if others else None


async def record(witness: Witness, namespace: str) -> None:
    """Record the WorkPlans of a namespace by a connection of its own, until cancelled."""
    async with await KubeClient.connect({"KUBECONFIG": str(KUBECONFIG)}) as kube:
        await witness.watch(kube, namespace)
