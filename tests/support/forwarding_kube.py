"""An API server with any objects, which forwards ports of pods to servers of this machine.

It speaks as the API server and the kubelet do: WebSockets with a channel byte, and first the port.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

Json = dict[str, Any]


@dataclass(slots=True)
class ForwardingKube:
    """Objects by path; `forbidden` are parts of paths that RBAC refuses."""

    port: int = 0
    objects: dict[str, Json] = field(default_factory=dict)
    ports: dict[tuple[str, int], int] = field(default_factory=dict)
    """Ports of this machine by name and port of a pod."""
    forbidden: set[str] = field(default_factory=set)
    ending: set[str] = field(default_factory=set)
    """Pods that are deleted when a port of theirs is asked for."""
    asked: list[str] = field(default_factory=list)
    on_create: Callable[[str, Json], None] = lambda _, __: None

    def put(self, path: str, thing: Json) -> None:
        """Add an object at a path such as `namespaces/lab/secrets/voxk8s-store`."""
        thing.setdefault("metadata", {})["name"] = path.rpartition("/")[2]
        self.objects[path] = thing

    def put_secret(
        self, namespace: str, name: str, values: dict[str, str], **metadata: Any
    ) -> None:
        """Add a Secret."""
        data = {key: base64.b64encode(text.encode()).decode() for key, text in values.items()}
        self.put(f"namespaces/{namespace}/secrets/{name}", {"data": data, "metadata": metadata})

    def put_server(self, service: str, namespace: str, port: int, local: int) -> None:
        """Add a Service with a ready pod, whose port leads to one of this machine."""
        pod = f"{service}-0"
        self.put(
            f"namespaces/{namespace}/services/{service}",
            {"spec": {"selector": {"app": service}, "ports": [{"port": port, "targetPort": "s3"}]}},
        )
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        containers = [{"ports": [{"name": "s3", "containerPort": port}]}]
        self.put(
            f"namespaces/{namespace}/pods/{pod}",
            {"spec": {"containers": containers}, "status": ready},
        )
        self.ports[pod, port] = local

    def kubeconfig(self, folder: Path, namespace: str) -> Path:
        """Write a kubeconfig that leads here."""
        path = folder / "kubeconfig"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "it", "user": {}}],
            "contexts": [
                {"name": "it", "context": {"cluster": "it", "user": "it", "namespace": namespace}}
            ],
        }
        path.write_text(json.dumps(content))
        return path

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = request.path.removeprefix("/apis/voxk8s.io/v1alpha1/").removeprefix("/api/v1/")
        self.asked.append(f"{request.method} {path}")
        if any(each in path for each in self.forbidden):
            return _refuse(403, "Forbidden", f"{path} is forbidden")
        if path.endswith("/portforward"):
            return await self._forward(request, path.split("/")[-2])
        if request.method == "POST":
            made = await request.json()
            name = made["metadata"].get("generateName", "") + "abcde"
            self.put(f"{path}/{name}", made)
            self.on_create(path, made)
            return web.json_response(made, status=201)
        if request.method == "DELETE":
            return web.json_response(self.objects.pop(path))
        if path in self.objects:
            return web.json_response(self.objects[path])
        if path.count("/") == 2:
            items = [each for name, each in self.objects.items() if name.startswith(f"{path}/")]
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": items})
        return _refuse(404, "NotFound", f"{path} not found")

    async def _forward(self, request: web.Request, pod: str) -> web.StreamResponse:
        port = int(request.query["ports"])
        if pod in self.ending:
            path = next(each for each in self.objects if each.endswith(f"/pods/{pod}"))
            self.objects[path]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            return _refuse(500, "InternalError", "container not running")
        if (pod, port) not in self.ports:
            return _refuse(404, "NotFound", f"pods {pod} not found")
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        for channel in (0, 1):
            await socket.send_bytes(bytes((channel,)) + port.to_bytes(2, "little"))
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[pod, port])
        except OSError as error:
            await socket.send_bytes(b"\x01" + f"connection refused: {error}".encode())
            return socket

        async def back() -> None:
            while data := await reader.read(10_000):
                await socket.send_bytes(b"\x00" + data)
            await socket.close()

        returning = asyncio.create_task(back())
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY and message.data[0] == 0:
                writer.write(message.data[1:])
                await writer.drain()
        returning.cancel()
        writer.close()
        return socket


def _refuse(code: int, reason: str, message: str) -> web.Response:
    status = {"kind": "Status", "reason": reason, "message": message, "details": {"name": "it"}}
    return web.json_response(status, status=code)


@contextlib.contextmanager
def serving() -> Iterator[ForwardingKube]:
    """Run it in a thread until the block ends."""
    kube = ForwardingKube()
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", kube.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        kube.port = runner.addresses[0][1]
        return runner

    runner = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield kube
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
