"""A fake Kubernetes client: objects in memory, errors by script."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator
from typing import Any

from voxk8s.cluster.kube_client import ListPage, ObjectList, WatchEvent
from voxk8s.cluster.kube_errors import AlreadyExists, Conflict, NotFound
from voxk8s.cluster.resources import ApiResource
from voxk8s.cluster.server_clock import ServerClock


class ScriptedKube:
    """Keeps objects by kind, namespace and name; `fail` scripts the errors that calls raise."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.applied: list[tuple[str, dict[str, Any]]] = []
        self.created: list[str] = []
        self.deleted: list[tuple[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.server_clock = ServerClock()
        self._version = 0
        self._watches: list[tuple[str, asyncio.Queue[dict[str, Any]]]] = []
        self._failures: dict[str, list[Exception]] = defaultdict(list)

    def fail(self, call: str, *errors: Exception) -> None:
        """Let the next calls of this name raise these errors, one each."""
        self._failures[call] += errors

    def put(self, thing: dict[str, Any]) -> dict[str, Any]:
        """Store an object, as another client would."""
        self._version += 1
        thing["metadata"]["resourceVersion"] = str(self._version)
        thing["metadata"].setdefault("uid", f"uid-{self._version}")
        thing["metadata"].setdefault("creationTimestamp", "2026-05-04T12:00:00Z")
        self.objects[self._key(thing["kind"], thing)] = thing
        for kind, events in self._watches:
            if kind == thing["kind"]:
                events.put_nowait(copy.deepcopy(thing))
        return copy.deepcopy(thing)

    async def get(
        self, resource: ApiResource, name: str, namespace: str | None = None
    ) -> dict[str, Any]:
        """Return an object."""
        self._count("get", resource)
        found = self.objects.get((resource.kind, namespace or "", name))
        if found is None:
            raise NotFound(f'{resource.plural} "{name}" not found', 404)
        return copy.deepcopy(found)

    async def find(
        self, resource: ApiResource, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        """Return an object or None."""
        try:
            return await self.get(resource, name, namespace)
        except NotFound:
            return None

    async def list(
        self, resource: ApiResource, namespace: str | None = None, **_: Any
    ) -> ObjectList:
        """Return all objects of a kind; selectors are ignored."""
        self._count("list", resource)
        items = [
            copy.deepcopy(each)
            for key, each in self.objects.items()
            if key[0] == resource.kind and namespace in (None, key[1])
        ]
        return ObjectList(items, str(self._version))

    async def list_pages(
        self, resource: ApiResource, namespace: str | None = None, **_: Any
    ) -> AsyncGenerator[ListPage]:
        """Yield all objects of a kind in one page."""
        listing = await self.list(resource, namespace)
        yield ListPage(listing.items, listing.resource_version)

    def guarded(self, _: Any) -> ScriptedKube:
        """Return itself: the guard has tests of its own."""
        return self

    async def watch(
        self, resource: ApiResource, namespace: str | None = None, **_: Any
    ) -> AsyncGenerator[WatchEvent]:
        """Yield an event for every object of a kind that is created or changed from now on."""
        self._count("watch", resource)
        events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._watches.append((resource.kind, events))
        while True:
            yield WatchEvent("MODIFIED", await events.get())

    async def create(
        self,
        resource: ApiResource,
        body: dict[str, Any],
        namespace: str | None = None,
        *,
        manager: str = "",
    ) -> dict[str, Any]:
        """Create an object."""
        self._count("create", resource)
        if self._key(resource.kind, body) in self.objects:
            raise AlreadyExists("there already", 409)
        self.created.append(resource.kind)
        return self.put(copy.deepcopy(body))

    async def replace(
        self, resource: ApiResource, body: dict[str, Any], namespace: str | None = None
    ) -> dict[str, Any]:
        """Replace an object; raises Conflict if its resource version is not the latest."""
        self._count("replace", resource)
        found = self.objects[self._key(resource.kind, body)]
        if found["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise Conflict("the object has been modified", 409)
        return self.put(copy.deepcopy(body))

    async def apply(
        self,
        resource: ApiResource,
        body: dict[str, Any],
        namespace: str | None = None,
        *,
        manager: str,
        subresource: str | None = None,
        force: bool = True,
        metadata_only: bool = False,
    ) -> dict[str, Any]:
        """Apply the first level of a status or spec, with ownership by field manager."""
        self._count("apply", resource)
        self.calls["apply in part"] += metadata_only
        found = self.objects.get(self._key(resource.kind, body))
        if found is None:
            raise NotFound("not found", 404)
        uid = body["metadata"].get("uid")
        if uid is not None and uid != found["metadata"]["uid"]:
            raise Conflict("Precondition failed: UID in precondition", 409)
        _check_version(found, body)
        part = copy.deepcopy(body.get(subresource or "spec") or {})
        self.applied.append((manager, part))
        merged = found.setdefault(subresource or "spec", {})
        managers = found.setdefault("managers", {})
        for name in managers.get(manager, set()) - set(part):
            merged.pop(name, None)
        managers[manager] = set(part)
        merged |= part
        return self.put(found)

    async def patch(
        self,
        resource: ApiResource,
        name: str,
        changes: dict[str, Any],
        namespace: str | None = None,
        *,
        subresource: str | None = None,
    ) -> dict[str, Any]:
        """Merge the first level of a spec, of a status, or of data; None removes a field."""
        self._count("patch", resource)
        found = self.objects.get((resource.kind, namespace or "", name))
        if found is None:
            raise NotFound("not found", 404)
        _check_version(found, changes)
        for key, value in changes.get("metadata", {}).get("annotations", {}).items():
            found["metadata"].setdefault("annotations", {})[key] = value
        for part in (subresource,) if subresource else ("spec", "data"):
            if part in changes:
                merged = found.get(part, {}) | changes[part]
                found[part] = {name: value for name, value in merged.items() if value is not None}
        return self.put(found)

    async def delete(
        self,
        resource: ApiResource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        **_: Any,
    ) -> bool:
        """Delete an object; raises Conflict if it has another uid."""
        self._count("delete", resource)
        found = self.objects.get((resource.kind, namespace or "", name))
        if found is not None and uid is not None and uid != found["metadata"]["uid"]:
            raise Conflict("Precondition failed: UID in precondition", 409)
        self.deleted.append((resource.kind, name))
        return self.objects.pop((resource.kind, namespace or "", name), None) is not None

    async def create_event(self, event: dict[str, Any]) -> None:
        """Record an event."""
        self.events.append(event)

    def _count(self, call: str, resource: ApiResource) -> None:
        for name in (call, f"{call} {resource.kind}"):
            self.calls[name] += 1
            if self._failures[name]:
                raise self._failures[name].pop(0)

    @staticmethod
    def _key(kind: str, thing: dict[str, Any]) -> tuple[str, str, str]:
        metadata = thing["metadata"]
        return kind, metadata.get("namespace", ""), metadata["name"]


def _check_version(found: dict[str, Any], body: dict[str, Any]) -> None:
    version = body.get("metadata", {}).get("resourceVersion")
    if version is not None and version != found["metadata"]["resourceVersion"]:
        raise Conflict("the object has been modified", 409)
