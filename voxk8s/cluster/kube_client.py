"""Asynchronous client of the Kubernetes API server; voxk8s makes all its calls through it.

Objects are plain dictionaries: the generated models of the official client take more time than the
calls themselves and drop fields that they do not know. Kubeconfigs, with their credentials and TLS
settings, are handled by the official client (`transport`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias
from urllib.parse import urlencode

import aiohttp
import msgspec

from voxk8s.cluster.kube_errors import KubeUnreachable, NotFound, error_from_status
from voxk8s.cluster.resources import EVENTS, PODS, ApiResource
from voxk8s.cluster.responses import iter_lines, parse_body, read_body, read_error
from voxk8s.cluster.server_clock import ServerClock
from voxk8s.cluster.transport import InClusterTransport, KubeconfigTransport, Request, Transport
from voxk8s.failure import message_of

KubeObject: TypeAlias = dict[str, Any]
"""A Kubernetes object as JSON data."""
Decoder: TypeAlias = Callable[[msgspec.Raw], KubeObject]
"""Decodes an object of a list or watch; it may leave out what nobody needs."""
Propagation: TypeAlias = Literal["Background", "Foreground", "Orphan"]

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
_FULL_OBJECT = "application/json, */*"
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json"
_PAGE_BYTES = 4 * 1024 * 1024
_FIRST_PAGE = 20
_MOST_ITEMS = 500
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_WATCH_SECONDS = 240
WATCH_SILENCE = 100.0
"""Seconds without a line after which a watch is dead: bookmarks come once a minute."""


@dataclass(frozen=True, slots=True)
class ObjectList:
    """The objects of a collection at one resource version."""

    items: list[KubeObject]
    resource_version: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some of the objects of a collection at one resource version.

    `last` is whether the list ends with them: what was in no page does not exist.
    """

    items: list[KubeObject]
    resource_version: str
    last: bool = True


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """An object was added, modified or deleted."""

    type: str
    """ADDED, MODIFIED or DELETED."""
    object: KubeObject


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A watch bookmark: all changes up to this resource version have been delivered."""

    resource_version: str


class KubeClient:
    """Client of one API server; an asynchronous context manager, to be used in one event loop.

    Methods raise the errors of `kube_errors`; any of them may raise KubeUnreachable, Forbidden,
    Overloaded or KindMissing. `server_clock` has the API server's time.
    """

    def __init__(self, transport: Transport, guard: Callable[[], None] | None = None) -> None:
        """Use a transport; `connect` chooses one. `guard` is called before each write."""
        self._transport = transport
        self._guard = guard
        self.server_clock = ServerClock()

    def guarded(self, guard: Callable[[], None]) -> KubeClient:
        """Return a client with the same connections that calls `guard` before each write.

        What `guard` raises, the method raises, and nothing is sent.
        """
        client = KubeClient(self._transport, guard)
        client.server_clock = self.server_clock
        return client

    @classmethod
    async def connect(
        cls, env: Mapping[str, str], *, context: str | None = None, connections: int = 64
    ) -> Self:
        """Connect by KUBECONFIG, else by the service account of the pod, else by ~/.kube/config.

        `context` is a context of the kubeconfig (default: its current one), `connections` the size
        of the connection pool, 0 for no limit: each watch keeps one. Raises KubeConfigMissing if
        no configuration is found or readable.
        """
        path = env.get("KUBECONFIG")
        if not path and "KUBERNETES_SERVICE_HOST" in env:
            return cls(InClusterTransport(env, connections))
        path = path or str(Path(env.get("HOME", "/")) / ".kube" / "config")
        return cls(await KubeconfigTransport.load(path, context, connections))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    # --- reading ------------------------------------------------------------------------------

    async def get(
        self, resource: ApiResource, name: str, namespace: str | None = None
    ) -> KubeObject:
        """Return an object; raises NotFound."""
        return await self._json("GET", resource.path(namespace, name))

    async def find(
        self, resource: ApiResource, name: str, namespace: str | None = None
    ) -> KubeObject | None:
        """Return an object, or None if it does not exist."""
        try:
            return await self.get(resource, name, namespace)
        except NotFound:
            return None

    async def list(
        self,
        resource: ApiResource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> ObjectList:
        """Return all objects that match the selectors.

        With a label selector in one answer: API servers before 1.33 read a page from etcd, and
        decode all objects of the kind to find a few; without a limit they have them in memory.
        """
        items: list[KubeObject] = []
        version = ""
        pages = self.list_pages(
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            whole=label_selector is not None,
        )
        async for page in pages:
            items += page.items
            version = page.resource_version
        return ObjectList(items, version)

    async def list_pages(
        self,
        resource: ApiResource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        decode: Decoder = msgspec.json.decode,
        whole: bool = False,
    ) -> AsyncGenerator[ListPage]:
        """Yield all objects that match the selectors, in pages of a few MB.

        There is one page if they are to come `whole`. Raises Expired if the API server cannot
        continue the list: begin again.
        """
        token: str | None = None
        limit = None if whole else _FIRST_PAGE
        while True:
            response = await self._call(
                "GET",
                resource.path(namespace),
                query={
                    "labelSelector": label_selector,
                    "fieldSelector": field_selector,
                    "limit": limit,
                    "continue": token,
                },
            )
            data = await read_body(response)
            page = parse_body(data, _RawList)
            raw_items = page.items or []
            if raw_items:
                limit = min(_MOST_ITEMS, max(1, _PAGE_BYTES * len(raw_items) // len(data)))
            items = [decode(raw) for raw in raw_items]
            for item in items:  # a list has apiVersion and kind once, for all of its items
                item.setdefault("apiVersion", resource.api_version)
                item.setdefault("kind", resource.kind)
            token = page.metadata.continue_ or None
            version = page.metadata.resource_version
            # The consumer may take its time: it must not keep the text of the page.
            del response, data, page, raw_items
            yield ListPage(items, version, last=token is None)
            del items
            if token is None:
                return

    async def watch(
        self,
        resource: ApiResource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str | None = None,
        field_selector: str | None = None,
        seconds: int = _WATCH_SECONDS,
        silence: float = WATCH_SILENCE,
        decode: Decoder = msgspec.json.decode,
    ) -> AsyncGenerator[WatchEvent | Bookmark]:
        """Yield the changes after `resource_version` until the API server ends the watch.

        The API server ends it after `seconds`. Raises Expired if the resource version is too old,
        KubeUnreachable after `silence` seconds without a change or a bookmark.
        """
        response = await self._call(
            "GET",
            resource.path(namespace),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=silence),
            query={
                "watch": "true",
                "allowWatchBookmarks": "true",
                "resourceVersion": resource_version,
                "timeoutSeconds": seconds,
                "labelSelector": label_selector,
                "fieldSelector": field_selector,
            },
        )
        try:
            async for line in iter_lines(response):
                event = parse_body(line, _RawEvent)
                match event.type:
                    case "ADDED" | "MODIFIED" | "DELETED":
                        yield WatchEvent(event.type, decode(event.object))
                    case "BOOKMARK":
                        body = msgspec.json.decode(event.object)
                        yield Bookmark(body["metadata"]["resourceVersion"])
                    case _:
                        status = msgspec.json.decode(event.object)
                        raise error_from_status(
                            int(status.get("code") or 500), status, resource.path(namespace)
                        )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubeUnreachable(
                f"the watch of {resource.plural} was interrupted: {error}"
            ) from error
        finally:
            response.close()

    async def logs(
        self,
        name: str,
        namespace: str,
        *,
        container: str | None = None,
        lines: int | None = None,
        previous: bool = False,
    ) -> str:
        """Return the log of a pod's container, or its last `lines` lines."""
        response = await self._call(
            "GET",
            PODS.path(namespace, name, "log"),
            query={
                "container": container,
                "tailLines": lines,
                "previous": "true" if previous else None,
            },
        )
        return (await read_body(response)).decode("utf-8", "replace")

    async def follow_logs(
        self, name: str, namespace: str, *, container: str | None = None
    ) -> AsyncIterator[str]:
        """Yield the lines of a pod's log as they are written."""
        response = await self._call(
            "GET",
            PODS.path(namespace, name, "log"),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            query={"container": container, "follow": "true"},
        )
        try:
            async for line in iter_lines(response):
                yield line.decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubeUnreachable(f"the log of pod {name} was interrupted: {error}") from error
        finally:
            response.close()

    async def open_port(
        self, pod: str, namespace: str, port: int
    ) -> aiohttp.ClientWebSocketResponse:
        """Open a connection to a port of a pod, by a WebSocket of the kubelet's protocol.

        Its messages begin with a byte for the channel: 0 has the data, 1 what went wrong; the first
        message of each has only the port. Raises NotFound if there is no such pod.
        """
        path = PODS.path(namespace, pod, "portforward")
        try:
            return await self._transport.open_websocket(
                f"{self._transport.host}{path}?ports={port}", "v4.channel.k8s.io"
            )
        except aiohttp.WSServerHandshakeError as error:
            said = f"a port-forward to pod {pod} in namespace {namespace} is refused"
            if error.status == 404:  # aiohttp keeps no body, which would say of what kind
                raise NotFound(f"pod {pod} not found in namespace {namespace}", 404) from error
            message = {"message": f"{said} (HTTP {error.status})"}
            raise error_from_status(error.status, message, path) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubeUnreachable(
                f"the API server does not open {path}: {message_of(error)}"
            ) from error

    # --- writing ------------------------------------------------------------------------------

    async def create(
        self,
        resource: ApiResource,
        body: KubeObject,
        namespace: str | None = None,
        *,
        manager: str = "",
    ) -> KubeObject:
        """Create an object; raises AlreadyExists."""
        return await self._json(
            "POST", resource.path(namespace), body, query={"fieldManager": manager or None}
        )

    async def replace(
        self, resource: ApiResource, body: KubeObject, namespace: str | None = None
    ) -> KubeObject:
        """Replace an object; raises Conflict if its resource version is not the latest."""
        name = body["metadata"]["name"]
        return await self._json("PUT", resource.path(namespace, name), body)

    async def apply(
        self,
        resource: ApiResource,
        body: KubeObject,
        namespace: str | None = None,
        *,
        manager: str,
        subresource: Literal["status"] | None = None,
        force: bool = True,
        dry_run: bool = False,
        metadata_only: bool = False,
    ) -> KubeObject:
        """Apply an object's fields server-side, as the field manager `manager`.

        Fields that the manager applied before and that are absent now are removed. `force` takes
        over fields that other managers own; without it Conflict is raised. Returns the object, or
        only its metadata.
        """
        return await self._json(
            "PATCH",
            resource.path(namespace, body["metadata"]["name"], subresource),
            body,
            content=APPLY,
            accept=_METADATA_ONLY if metadata_only else _FULL_OBJECT,
            query={
                "fieldManager": manager,
                "force": "true" if force else "false",
                "dryRun": "All" if dry_run else None,
            },
        )

    async def patch(
        self,
        resource: ApiResource,
        name: str,
        changes: KubeObject,
        namespace: str | None = None,
        *,
        subresource: Literal["status", "scale"] | None = None,
    ) -> KubeObject:
        """Apply a JSON merge patch; None removes a field."""
        return await self._json(
            "PATCH", resource.path(namespace, name, subresource), changes, content=MERGE
        )

    async def delete(
        self,
        resource: ApiResource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        propagation: Propagation = "Background",
    ) -> bool:
        """Delete an object; returns False if it does not exist.

        With `uid` only the object with that uid is deleted, else Conflict is raised.
        """
        options: KubeObject = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
        }
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        try:
            await self._json("DELETE", resource.path(namespace, name), options)
        except NotFound:
            return False
        return True

    async def create_event(self, event: KubeObject) -> None:
        """Create an Event in its namespace."""
        await self._json("POST", EVENTS.path(event["metadata"]["namespace"]), event)

    # --- transport ----------------------------------------------------------------------------

    async def _json(
        self,
        method: str,
        path: str,
        body: KubeObject | None = None,
        *,
        content: str = "application/json",
        accept: str = _FULL_OBJECT,
        query: Mapping[str, str | int | None] | None = None,
    ) -> KubeObject:
        response = await self._call(method, path, body, content=content, accept=accept, query=query)
        return parse_body(await read_body(response), dict)

    async def _call(
        self,
        method: str,
        path: str,
        body: KubeObject | None = None,
        *,
        content: str = "application/json",
        accept: str = _FULL_OBJECT,
        timeout: aiohttp.ClientTimeout = _TIMEOUT,  # noqa: ASYNC109 -- a setting of the client
        query: Mapping[str, str | int | None] | None = None,
    ) -> aiohttp.ClientResponse:
        headers = {"Accept": accept, "Content-Type": content, "User-Agent": "voxk8s"}
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        url = f"{self._transport.host}{path}"
        if parameters:
            url = f"{url}?{urlencode(parameters)}"
        if self._guard is not None and method != "GET":
            self._guard()
        sent = self.server_clock.clock()
        try:
            response = await self._transport.send(Request(method, url, headers, body, timeout))
            self.server_clock.note(response.headers.get("Date"), sent, self.server_clock.clock())
            if response.status < 300:
                return response
            failure = await read_error(response, path)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubeUnreachable(
                f"the API server does not answer {method} {path}: {message_of(error)}"
            ) from error
        raise failure


class _ListMeta(msgspec.Struct):
    resource_version: str = msgspec.field(name="resourceVersion", default="")
    continue_: str = msgspec.field(name="continue", default="")


class _RawList(msgspec.Struct):
    """A list whose items are still text."""

    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None


class _RawEvent(msgspec.Struct):
    """An event of a watch whose object is still text."""

    type: str
    object: msgspec.Raw
