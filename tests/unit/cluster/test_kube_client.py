"""The Kubernetes client, against a small HTTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from voxk8s.cluster.kube_client import Bookmark, KubeClient, WatchEvent
from voxk8s.cluster.kube_errors import (
    Conflict,
    Expired,
    Fenced,
    KubeConfigMissing,
    KubeUnreachable,
)
from voxk8s.cluster.resources import PODS
from voxk8s.cluster.transport import KubeconfigTransport


class Server:
    """An API server that records requests and returns prepared responses."""

    def __init__(self) -> None:
        self.responses: list[web.Response] = []
        self.requests: list[web.Request] = []
        self.bodies: list[Any] = []

    async def handle(self, request: web.Request) -> web.Response:
        """Return the next prepared response."""
        self.requests.append(request)
        self.bodies.append(await request.json() if request.can_read_body else None)
        return self.responses.pop(0)

    def reply(self, content: Any, status: int = 200) -> None:
        """Prepare a response."""
        self.responses.append(web.json_response(content, status=status))


@pytest.fixture
def server() -> Server:
    """A server without prepared responses."""
    return Server()


@pytest.fixture
async def kube(server: Server, tmp_path: Path) -> AsyncIterator[KubeClient]:
    """A client that a kubeconfig connects to the server."""
    app = web.Application()

    async def handle(request: web.Request) -> web.StreamResponse:
        return await server.handle(request)

    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {}}],"
        " contexts: [{name: c, context: {cluster: c, user: u}}], clusters: [{name: c, cluster:"
        f" {{server: 'http://127.0.0.1:{runner.addresses[0][1]}'}}}}]}}"
    )
    async with KubeClient(await KubeconfigTransport.load(str(kubeconfig), None, 4)) as client:
        yield client
    await runner.cleanup()


@pytest.mark.parametrize("page", ["<html>Log in</html>", "", "[]"])
async def test_an_answer_of_something_else(server: Server, kube: KubeClient, page: str) -> None:
    """A proxy or a login page answers with 200: it is named, and asked again later."""
    server.responses = [web.Response(text=page) for _ in range(3)]
    with pytest.raises(KubeUnreachable, match="expected an object from the API server"):
        await kube.get(PODS, "one", "ns")
    with pytest.raises(KubeUnreachable, match="login page"):
        [each async for each in kube.list_pages(PODS, "ns")]
    if page:
        with pytest.raises(KubeUnreachable, match="found '"):
            [each async for each in kube.watch(PODS, "ns", resource_version="1")]


async def test_missing_configuration(tmp_path: Path) -> None:
    """Without a kubeconfig, outside a pod, the error names the missing file."""
    with pytest.raises(KubeConfigMissing, match=r"/\.kube/config does not exist; set KUBECONFIG"):
        await KubeClient.connect({"HOME": str(tmp_path)})
    with pytest.raises(KubeConfigMissing, match=r"/missing does not exist; set KUBECONFIG"):
        await KubeClient.connect({"KUBECONFIG": str(tmp_path / "missing")})


async def test_lists_are_read_in_pages(server: Server, kube: KubeClient) -> None:
    """Pages are joined, and each item gets the apiVersion and kind of the list."""
    server.reply({"metadata": {"continue": "next"}, "items": [{"metadata": {"name": "a"}}]})
    server.reply({"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "b"}}]})
    listing = await kube.list(PODS, "ns", label_selector="x=1")
    assert [(item["kind"], item["metadata"]["name"]) for item in listing.items] == [
        ("Pod", "a"),
        ("Pod", "b"),
    ]
    assert listing.resource_version == "7"
    assert [request.query.get("continue") for request in server.requests] == [None, "next"]
    assert {request.query["labelSelector"] for request in server.requests} == {"x=1"}


async def test_watch_yields_changes_and_bookmarks(server: Server, kube: KubeClient) -> None:
    """Each line of a watch is an event; an error event raises its error."""
    pod = {"metadata": {"name": "a", "resourceVersion": "2"}}
    lines = (
        b'{"type": "ADDED", "object": {"metadata": {"name": "a", "resourceVersion": "2"}}}\n'
        b'{"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "5"}}}\n'
        b'{"type": "ERROR", "object": {"code": 410, "reason": "Expired"}}\n'
    )
    server.responses.append(web.Response(body=lines))
    stream = kube.watch(PODS, "ns", resource_version="1")
    assert await anext(stream) == WatchEvent("ADDED", pod)
    assert await anext(stream) == Bookmark("5")
    with pytest.raises(Expired):
        await anext(stream)
    assert server.requests[0].query["resourceVersion"] == "1"


async def test_apply_names_its_field_manager(server: Server, kube: KubeClient) -> None:
    """Server-side apply sends the manager; the response may be metadata only."""
    server.reply({"kind": "PartialObjectMetadata"})
    body = {"metadata": {"name": "a"}, "status": {"phase": "Running"}}
    await kube.apply(PODS, body, "ns", manager="me", subresource="status", metadata_only=True)
    (request,) = server.requests
    assert (request.method, request.path) == ("PATCH", "/api/v1/namespaces/ns/pods/a/status")
    assert (request.query["fieldManager"], request.query["force"]) == ("me", "true")
    assert request.headers["Content-Type"] == "application/apply-patch+yaml"
    assert "PartialObjectMetadata" in request.headers["Accept"]
    assert server.bodies == [body]


async def test_delete_of_a_missing_object(server: Server, kube: KubeClient) -> None:
    """An object that does not exist is no error; a uid is sent as a precondition."""
    server.reply({"reason": "NotFound", "details": {"name": "a"}}, 404)
    server.reply({"reason": "Conflict"}, 409)
    assert not await kube.delete(PODS, "a", "ns")
    with pytest.raises(Conflict):
        await kube.delete(PODS, "a", "ns", uid="u-1")
    assert server.bodies[1]["preconditions"] == {"uid": "u-1"}


async def test_find_returns_none_for_a_missing_object(server: Server, kube: KubeClient) -> None:
    """`find` returns None where `get` raises NotFound."""
    server.reply({"reason": "NotFound", "details": {"name": "a"}}, 404)
    assert await kube.find(PODS, "a", "ns") is None


async def test_server_errors_are_transient(server: Server, kube: KubeClient) -> None:
    """A response without a Status object becomes an error with its text."""
    server.responses.append(web.Response(status=502, text="bad gateway"))
    with pytest.raises(KubeUnreachable, match="bad gateway"):
        await kube.get(PODS, "a", "ns")


async def test_guard_refuses_writes(server: Server, kube: KubeClient) -> None:
    """What the guard raises, a write raises, and nothing is sent; reads pass."""

    def refuse() -> None:
        raise Fenced("not the leader")

    guarded = kube.guarded(refuse)
    server.reply({"metadata": {"name": "a"}})
    assert await guarded.get(PODS, "a", "ns") == {"metadata": {"name": "a"}}
    for write in (
        guarded.create(PODS, {}, "ns"), guarded.delete(PODS, "a", "ns"),
        guarded.patch(PODS, "a", {}, "ns"),
    ):  # fmt: skip
        with pytest.raises(Fenced):
            await write
    assert len(server.requests) == 1


async def test_pages_are_sized_by_bytes(server: Server, kube: KubeClient) -> None:
    """After a page of large objects the next one asks for few, and no page is kept."""
    large = {"metadata": {"name": "a"}, "x": "y" * 1_000_000}
    server.reply({"metadata": {"continue": "next"}, "items": [large] * 8})
    server.reply({"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "b"}}]})
    pages = [page async for page in kube.list_pages(PODS, "ns")]
    assert [(len(page.items), page.last) for page in pages] == [(8, False), (1, True)]
    assert [int(request.query["limit"]) for request in server.requests] == [20, 4]


async def test_labelled_objects_are_listed_without_a_limit(
    server: Server, kube: KubeClient
) -> None:
    """With one, API servers before 1.33 decode all objects of the kind from etcd to find a few."""
    server.reply({"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "b"}}]})
    found = await kube.list(PODS, "ns", label_selector="a=b")
    assert [item["metadata"]["name"] for item in found.items] == ["b"]
    assert "limit" not in server.requests[0].query


async def test_silent_watch_is_given_up(
    server: Server, kube: KubeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch that says nothing, not even a bookmark, for too long is dead."""

    async def silent(self: Server, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await given_up.wait()
        return response

    given_up = asyncio.Event()
    monkeypatch.setattr(Server, "handle", silent)
    stream = kube.watch(PODS, "ns", resource_version="1", silence=0.1)
    with pytest.raises(KubeUnreachable, match="interrupted"):
        await anext(stream)
    given_up.set()  # the server waits a minute for answers that are under way
