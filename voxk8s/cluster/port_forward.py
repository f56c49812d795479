"""A port of a pod as an address of this machine, by the user's own rights.

The official client forwards ports only in its blocking half, by replacing functions of `socket` for
the whole process; its asyncio half has WebSockets, which is all that is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kube_errors import ApiError, Forbidden, NotFound
from voxk8s.cluster.resources import PODS, SERVICES
from voxk8s.errors import InvalidUsage

_log = logging.getLogger(__name__)
_DATA: Final = 0
_FRAME: Final = 64 * 1024
_REST_SECONDS: Final = 10.0
_SERVICE_SUFFIX: Final = "svc"


@dataclass(frozen=True, slots=True)
class PodPort:
    """A TCP port of a pod."""

    pod: str
    namespace: str
    port: int


def service_of(endpoint: str) -> tuple[str, str, int] | None:
    """Return name, namespace and port of the Service that a URL names; None for other hosts."""
    parts = urlsplit(endpoint)
    labels = (parts.hostname or "").split(".")
    if len(labels) < 3 or labels[2] != _SERVICE_SUFFIX:
        return None
    return labels[0], labels[1], parts.port or (443 if parts.scheme == "https" else 80)


async def find_pod(kube: KubeClient, service: str, namespace: str, port: int) -> PodPort:
    """Return a ready pod behind a port of a Service.

    Who may not look gets the first pod of the StatefulSet of that name, with the same port: a right
    on that pod alone is then enough. Raises NotFound if there is no Service, or no pod is ready.
    """
    try:
        spec = (await kube.get(SERVICES, service, namespace)).get("spec") or {}
        labels = spec.get("selector") or {}
        if not labels:
            raise NotFound(f"Service {service} in namespace {namespace} selects no pods", 404)
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        pods = (await kube.list(PODS, namespace, label_selector=selector)).items
    except Forbidden:
        return PodPort(f"{service}-0", namespace, port)
    target = next(
        (each.get("targetPort", port) for each in spec.get("ports", ()) if each["port"] == port),
        port,
    )
    for pod in pods:
        number = target if isinstance(target, int) else _named_port(pod, str(target))
        if is_ready(pod) and number is not None:
            return PodPort(str(pod["metadata"]["name"]), namespace, number)
    raise NotFound(f"no pod behind Service {service} in namespace {namespace} is ready", 404)


def is_ready(pod: KubeObject) -> bool:
    """Whether a pod has the condition Ready, and is not being deleted."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@contextlib.asynccontextmanager
async def forward_port(kube: KubeClient, target: PodPort) -> AsyncIterator[str]:
    """Give the address `127.0.0.1:PORT` that leads to a port of a pod, until the block ends.

    Raises Forbidden if RBAC does not allow it, and NotFound without such a pod.
    """
    await _try(kube, target)
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: asyncio prints what cancels one that it has made itself.
        task = asyncio.create_task(_accepted(kube, target, reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield "{}:{}".format(*server.sockets[0].getsockname()[:2])
    finally:
        server.close()
        for task in tuple(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _try(kube: KubeClient, target: PodPort) -> None:
    """Open and close a connection, so that a refusal is known before anything depends on it."""
    # Any request opens the session; this one answers with the rights of the user, or refuses.
    with contextlib.suppress(Forbidden, NotFound):
        await kube.get(PODS, target.pod, target.namespace)
    websocket = await kube.open_port(target.pod, target.namespace, target.port)
    await websocket.close()


async def _accepted(
    kube: KubeClient, target: PodPort, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        await _carry(kube, target, reader, writer)
    except (ApiError, OSError, aiohttp.ClientError) as error:
        _log.warning("the port-forward to pod %s failed: %s", target.pod, error)
    finally:
        writer.close()


async def _carry(
    kube: KubeClient, target: PodPort, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry the bytes of one connection both ways until the server ends it or the client goes."""
    websocket = await kube.open_port(target.pod, target.namespace, target.port)

    async def send() -> None:
        while data := await reader.read(_FRAME):
            await websocket.send_bytes(bytes((_DATA,)) + data)

    async def receive() -> None:
        seen: set[int] = set()
        async for message in websocket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                continue
            if not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel not in seen:
                seen.add(channel)  # The first message of a channel has the number of the port.
                continue
            if channel != _DATA:
                raise ConnectionError(data.decode(errors="replace").strip())
            writer.write(data)
            await writer.drain()

    ways = [asyncio.create_task(send()), asyncio.create_task(receive())]
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            way.result()
        if ways[1] not in done:
            # The client has said all, and waits for the answer, or is gone.
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_REST_SECONDS):
                    await ways[1]
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await websocket.close()


def local_endpoint(endpoint: str, address: str) -> str:
    """Return the URL of a server that is behind a forwarded port.

    Raises InvalidUsage for HTTPS, whose certificate would not be for this machine's address.
    """
    if urlsplit(endpoint).scheme == "https":
        raise InvalidUsage(
            f"the store at {endpoint} is inside of the cluster and speaks HTTPS, so that a"
            " port-forward cannot be verified: make it reachable under its name, and set"
            " AWS_ENDPOINT_URL to its URL"
        )
    return f"http://{address}"


def _named_port(pod: Mapping[str, Any], name: str) -> int | None:
    containers = (pod.get("spec") or {}).get("containers") or ()
    ports = (port for each in containers for port in each.get("ports") or ())
    return next((int(each["containerPort"]) for each in ports if each.get("name") == name), None)
