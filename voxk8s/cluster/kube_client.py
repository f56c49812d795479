"""The door to Kubernetes: every call to an API server.

Objects go in and out as plain dictionaries: the generated models of the official client cost more
time than the calls themselves, and lose fields that they do not know. What is hard to get right,
kubeconfigs with their credentials and TLS, comes from the client (`transport`).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias
from urllib.parse import urlencode

import aiohttp
import msgspec

from voxk8s.cluster.kube_errors import KubeUnreachable, NotFound
from voxk8s.cluster.resources import EVENTS, PODS, ApiResource
from voxk8s.cluster.responses import error_from_status, error_text, iter_lines, read_body
from voxk8s.cluster.transport import InClusterTransport, KubeconfigTransport, Transport

KubeObject: TypeAlias = dict[str, Any]
"""A Kubernetes object as JSON data."""
Propagation: TypeAlias = Literal["Background", "Foreground", "Orphan"]

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
_EVERYTHING = "application/json, */*"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json"
_PAGE = 500
_TIMEOUT = 30.0
_WATCH_SECONDS = 240


@dataclass(frozen=True, slots=True)
class ObjectList:
    """Objects as they were at one resource version."""

    items: list[KubeObject]
    resource_version: str


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One object was added, modified or deleted."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: KubeObject


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing changed up to this resource version: the watch is alive."""

    resource_version: str


class KubeClient:
    """Calls to one API server. Use as an asynchronous context manager, within one event loop."""

    def __init__(self, transport: Transport) -> None:
        """Call by a way to the API server; use `connect` to find one."""
        self._transport = transport

    @classmethod
    async def connect(
        cls, env: Mapping[str, str], *, context: str | None = None, connections: int = 64
    ) -> Self:
        """Open the door: by KUBECONFIG, else as a pod, else by the kubeconfig in ~/.kube.

        Raises KubeConfigMissing when none of them exists or can be read.
        """
        path = env.get("KUBECONFIG")
        if not path and "KUBERNETES_SERVICE_HOST" in env:
            return cls(InClusterTransport(env, connections))
        path = path or str(Path(env.get("HOME", "/")) / ".kube" / "config")
        return cls(await KubeconfigTransport.open(path, context, connections))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    # --- reading ------------------------------------------------------------------------------

    async def get(
        self, resource: ApiResource, name: str, namespace: str | None = None
    ) -> KubeObject:
        """Read one object; raises NotFound."""
        return await self._json("GET", resource.path(namespace, name))

    async def find(
        self, resource: ApiResource, name: str, namespace: str | None = None
    ) -> KubeObject | None:
        """Read one object, or None where there is none."""
        try:
            return await self.get(resource, name, namespace)
        except NotFound:
            return None

    async def list(
        self,
        resource: ApiResource,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
    ) -> ObjectList:
        """Read all objects of a kind that match the selectors, page by page."""
        items: list[KubeObject] = []
        token: str | None = None
        while True:
            page = await self._json(
                "GET",
                resource.path(namespace),
                query={
                    "labelSelector": labels,
                    "fieldSelector": fields,
                    "limit": _PAGE,
                    "continue": token,
                },
            )
            items += page.get("items") or ()
            token = page["metadata"].get("continue")
            if not token:
                break
        for item in items:  # lists leave out what all their items share
            item.setdefault("apiVersion", resource.api_version)
            item.setdefault("kind", resource.kind)
        return ObjectList(items, page["metadata"]["resourceVersion"])

    async def watch(
        self,
        resource: ApiResource,
        namespace: str | None = None,
        *,
        resource_version: str,
        labels: str | None = None,
        fields: str | None = None,
        seconds: int = _WATCH_SECONDS,
    ) -> AsyncGenerator[WatchEvent | Bookmark]:
        """Give the changes after a resource version until the API server ends the watch.

        Raises Expired when the version is too old; then list again.
        """
        response = await self._call(
            "GET",
            resource.path(namespace),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=seconds + 30),
            query={
                "watch": "true",
                "allowWatchBookmarks": "true",
                "resourceVersion": resource_version,
                "timeoutSeconds": seconds,
                "labelSelector": labels,
                "fieldSelector": fields,
            },
        )
        try:
            async for line in iter_lines(response):
                event = msgspec.json.decode(line)
                body = event["object"]
                match event["type"]:
                    case "ADDED" | "MODIFIED" | "DELETED":
                        yield WatchEvent(event["type"], body)
                    case "BOOKMARK":
                        yield Bookmark(body["metadata"]["resourceVersion"])
                    case _:
                        raise error_from_status(
                            int(body.get("code") or 500), body, resource.path(namespace)
                        )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubeUnreachable(f"The watch of {resource.plural} broke: {error}") from error
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
        """Read what a pod's container wrote."""
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
        """Give the lines of a pod's container as they are written."""
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
            raise KubeUnreachable(f"The log of pod {name} broke off: {error}") from error
        finally:
            response.close()

    # --- writing ------------------------------------------------------------------------------

    async def create(
        self,
        resource: ApiResource,
        body: KubeObject,
        namespace: str | None = None,
        *,
        manager: str = "",
    ) -> KubeObject:
        """Make a new object; raises AlreadyExists."""
        return await self._json(
            "POST", resource.path(namespace), body, query={"fieldManager": manager or None}
        )

    async def replace(
        self, resource: ApiResource, body: KubeObject, namespace: str | None = None
    ) -> KubeObject:
        """Replace a whole object; raises Conflict when its resource version is not the last."""
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
        whole: bool = True,
    ) -> KubeObject:
        """Server-side apply: these fields are as given and belong to the manager.

        Fields that this manager applied before and now leaves out are removed, those of others
        stay. The answer is the object, or only its metadata where the `whole` is not wanted.
        """
        return await self._json(
            "PATCH",
            resource.path(namespace, body["metadata"]["name"], subresource),
            body,
            content=APPLY,
            accept=_EVERYTHING if whole else _METADATA,
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
        """Merge changes into an object; None removes a field."""
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
        grace_seconds: int | None = None,
    ) -> bool:
        """Delete an object, only if it has this uid; False where it was gone already."""
        options: KubeObject = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
        }
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            await self._json("DELETE", resource.path(namespace, name), options)
        except NotFound:
            return False
        return True

    async def create_event(self, event: KubeObject) -> None:
        """Write an event into its namespace."""
        await self._json("POST", EVENTS.path(event["metadata"]["namespace"]), event)

    # --- transport ----------------------------------------------------------------------------

    async def version(self) -> KubeObject:
        """Say which Kubernetes answers."""
        return await self._json("GET", "/version")

    async def _json(
        self,
        method: str,
        path: str,
        body: KubeObject | None = None,
        *,
        content: str = "application/json",
        accept: str = _EVERYTHING,
        query: Mapping[str, str | int | None] | None = None,
    ) -> KubeObject:
        response = await self._call(method, path, body, content=content, accept=accept, query=query)
        data: KubeObject = msgspec.json.decode(await read_body(response))
        return data

    async def _call(
        self,
        method: str,
        path: str,
        body: KubeObject | None = None,
        *,
        content: str = "application/json",
        accept: str = _EVERYTHING,
        timeout: aiohttp.ClientTimeout | None = None,  # noqa: ASYNC109 -- a setting of the client
        query: Mapping[str, str | int | None] | None = None,
    ) -> aiohttp.ClientResponse:
        headers = {
            "Accept": accept,
            "Content-Type": content,
            "User-Agent": "voxk8s",
        }
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = f"{self._transport.host}{path}"
        if given:
            url = f"{url}?{urlencode(given)}"
        try:
            response = await self._transport.send(
                method, url, headers, body, timeout or aiohttp.ClientTimeout(total=_TIMEOUT)
            )
            if response.status < 300:
                return response
            text = await response.read()
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError, OSError) as error:
            raise KubeUnreachable(
                f"The API server does not answer ({method} {path}): {error_text(error)}"
            ) from error
        try:
            status = msgspec.json.decode(text)
        except msgspec.DecodeError:
            status = None
        raise error_from_status(
            response.status,
            status if isinstance(status, dict) else {"message": text.decode(errors="replace")},
            path,
            response.headers.get("Retry-After"),
        )
