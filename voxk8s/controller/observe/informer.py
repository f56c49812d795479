"""An informer: mirrors the objects of one kind by list and watch, indexed by their WorkPlan."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from voxk8s.cluster.kube_client import Bookmark, KubeClient, ObjectList, WatchEvent
from voxk8s.cluster.kube_errors import Expired
from voxk8s.cluster.reflector import WatchError, list_and_watch
from voxk8s.cluster.resources import ApiResource
from voxk8s.controller.work_queue import ObjectKey

_log = logging.getLogger(__name__)

T = TypeVar("T")
IndexKey: TypeAlias = tuple[str, str]
"""Namespace and index value: the label that names an object's WorkPlan."""


@dataclass(slots=True)
class Informer(Generic[T]):
    """All objects of one kind as parsed views, by key and by index.

    `on_change` receives the index key of every object that was added, changed or deleted,
    `on_delete` the last view of a deleted object. `labels` and `fields` are selectors of the watch.
    """

    resource: ApiResource
    parse: Callable[[Mapping[str, Any]], T]
    index_value: Callable[[Mapping[str, Any]], str]
    on_change: Callable[[IndexKey], None]
    on_delete: Callable[[T], None] | None = None
    labels: str | None = None
    fields: str | None = None
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    last_contact: float = 0.0
    _views: dict[ObjectKey, T] = field(default_factory=dict)
    _versions: dict[ObjectKey, int] = field(default_factory=dict)
    _index_keys: dict[ObjectKey, IndexKey] = field(default_factory=dict)
    _index: dict[IndexKey, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))
    _disconnected: bool = False

    async def run(
        self, kube: KubeClient, namespace: str | None, clock: Callable[[], float]
    ) -> None:
        """Follow the objects of a namespace, or of all, until cancelled."""
        stream = list_and_watch(
            kube, self.resource, namespace, label_selector=self.labels, field_selector=self.fields
        )
        async for notice in stream:
            match notice:
                case ObjectList(items=items):
                    self.replace(items, namespace)
                    self.synced.set()
                case WatchEvent(type="DELETED", object=body):
                    self.delete(body)
                case WatchEvent(object=body):
                    self.upsert(body)
                case Bookmark():
                    pass
                case WatchError(error=error):
                    # An expired resource version is normal: the reflector lists again.
                    if not self._disconnected and not isinstance(error, Expired):
                        _log.warning("the watch of %s failed: %s", self.resource.plural, error)
                    self._disconnected = True
                    continue
            self._disconnected = False
            self.last_contact = clock()

    def get(self, namespace: str, name: str) -> T | None:
        """Return one object, or None."""
        return self._views.get(ObjectKey(namespace, name))

    def index_key(self, namespace: str, name: str) -> IndexKey | None:
        """Return the index key of one object, or None if it is not known."""
        return self._index_keys.get(ObjectKey(namespace, name))

    def by_index(self, index_key: IndexKey) -> tuple[T, ...]:
        """Return the objects with an index key, sorted by name."""
        return tuple(self._views[key] for key in sorted(self._index.get(index_key, ())))

    def items(self) -> list[tuple[ObjectKey, T]]:
        """Return all objects with their keys."""
        return list(self._views.items())

    def upsert(self, body: Mapping[str, Any]) -> None:
        """Add or update an object, unless a newer version of it is known."""
        key = _key(body)
        version = _resource_version(body)
        if version < self._versions.get(key, 0):
            return  # The operator's own write is already here; the watch is still behind it.
        index_key = (key.namespace, self.index_value(body))
        try:
            view = self.parse(body)
        except Exception:  # noqa: BLE001 - one malformed object must not stop the watch of the others
            _log.exception("cannot parse %s %s", self.resource.kind, key)
            return
        self._versions[key] = version
        old = self._index_keys.get(key)
        if old is not None and old != index_key:
            self._unindex(key, old)
        if old == index_key and self._views.get(key) == view:
            return
        self._views[key] = view
        self._index_keys[key] = index_key
        self._index[index_key].add(key)
        self.on_change(index_key)

    def delete(self, body: Mapping[str, Any]) -> None:
        """Remove a deleted object."""
        self._remove(_key(body))

    def replace(self, items: Iterable[Mapping[str, Any]], namespace: str | None = None) -> None:
        """Replace the objects of a namespace, or all, by the result of a list request."""
        bodies = list(items)
        listed = {_key(body) for body in bodies}
        for key in [key for key in self._views if key not in listed]:
            if namespace is None or key.namespace == namespace:
                self._remove(key)
        for body in bodies:
            self.upsert(body)

    def _remove(self, key: ObjectKey) -> None:
        view = self._views.pop(key, None)
        self._versions.pop(key, None)
        if view is None:
            return
        if self.on_delete is not None:
            self.on_delete(view)
        self._unindex(key, self._index_keys.pop(key))

    def _unindex(self, key: ObjectKey, index_key: IndexKey) -> None:
        members = self._index[index_key]
        members.discard(key)
        if not members:
            del self._index[index_key]
        self.on_change(index_key)


def _resource_version(body: Mapping[str, Any]) -> int:
    text = str(body["metadata"].get("resourceVersion", ""))
    return int(text) if text.isdigit() else 0


def _key(body: Mapping[str, Any]) -> ObjectKey:
    return ObjectKey(str(body["metadata"].get("namespace", "")), str(body["metadata"]["name"]))
