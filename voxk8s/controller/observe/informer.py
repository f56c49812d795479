"""What the cluster holds, kept up to date by watches, and whom a change concerns."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from voxk8s.cluster.kube_client import Bookmark, KubeClient, WatchEvent
from voxk8s.cluster.kube_errors import Expired
from voxk8s.cluster.reflector import Snapshot, WatchError, list_and_watch
from voxk8s.cluster.resources import ApiResource

_log = logging.getLogger(__name__)

T = TypeVar("T")
Group = tuple[str, str]
"""Namespace, and what objects are grouped by: the label of their WorkPlan."""


@dataclass(slots=True)
class Informer(Generic[T]):
    """All objects of one kind, as views, by namespace and name; grouped by their WorkPlan.

    `changed` is told the group of every object that was added, changed or went away, `dropped` the
    last view of one that is gone.
    """

    resource: ApiResource
    read: Callable[[Mapping[str, Any]], T]
    group_of: Callable[[Mapping[str, Any]], str]
    changed: Callable[[Group], None]
    dropped: Callable[[T], None] | None = None
    labels: str | None = None
    fields: str | None = None
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    last_sign: float = 0.0
    _views: dict[Group, T] = field(default_factory=dict)
    _versions: dict[Group, int] = field(default_factory=dict)
    _groups: dict[Group, Group] = field(default_factory=dict)
    _members: dict[Group, set[Group]] = field(default_factory=lambda: defaultdict(set))
    _lost: bool = False

    async def follow(
        self, kube: KubeClient, namespace: str | None, clock: Callable[[], float]
    ) -> None:
        """Keep up with the cluster, for ever."""
        told = list_and_watch(
            kube, self.resource, namespace, labels=self.labels, fields=self.fields
        )
        async for notice in told:
            match notice:
                case Snapshot(items=items):
                    self.replace(items, namespace)
                    self.synced.set()
                case WatchEvent(type="DELETED", object=thing):
                    self.remove(thing)
                case WatchEvent(object=thing):
                    self.put(thing)
                case Bookmark():
                    pass
                case WatchError(error=error):
                    # Too old a version is no problem: everything is listed again.
                    if not self._lost and not isinstance(error, Expired):
                        _log.warning("the watch of %s broke: %s", self.resource.plural, error)
                    self._lost = True
                    continue
            self._lost = False
            self.last_sign = clock()

    def get(self, namespace: str, name: str) -> T | None:
        """Give one object."""
        return self._views.get((namespace, name))

    def group(self, namespace: str, name: str) -> Group | None:
        """Give the group of one object."""
        return self._groups.get((namespace, name))

    def of(self, group: Group) -> tuple[T, ...]:
        """Give the objects of one WorkPlan, by name."""
        return tuple(self._views[key] for key in sorted(self._members.get(group, ())))

    def items(self) -> Iterable[tuple[Group, T]]:
        """Give all objects by namespace and name."""
        return list(self._views.items())

    def __len__(self) -> int:
        return len(self._views)

    def put(self, thing: Mapping[str, Any]) -> None:
        """Take note of an object."""
        key = _key(thing)
        version = _version(thing)
        if version < self._versions.get(key, 0):
            return  # what we wrote ourselves came back before the watch told of older changes
        group = (key[0], self.group_of(thing))
        try:
            view = self.read(thing)
        except Exception:  # noqa: BLE001 - one strange object must not stop the watch of all others
            _log.exception("%s %s/%s cannot be read", self.resource.kind, *key)
            return
        self._versions[key] = version
        old = self._groups.get(key)
        if old is not None and old != group:
            self._leave(key, old)
        if old == group and self._views.get(key) == view:
            return
        self._views[key] = view
        self._groups[key] = group
        self._members[group].add(key)
        self.changed(group)

    def remove(self, thing: Mapping[str, Any]) -> None:
        """Take note that an object is gone."""
        self._drop(_key(thing))

    def replace(self, items: Iterable[Mapping[str, Any]], namespace: str | None = None) -> None:
        """Take note of all objects there are; what is not among them is gone."""
        things = list(items)
        there = {_key(thing) for thing in things}
        for key in [key for key in self._views if key not in there]:
            if namespace is None or key[0] == namespace:
                self._drop(key)
        for thing in things:
            self.put(thing)

    def _drop(self, key: Group) -> None:
        view = self._views.pop(key, None)
        self._versions.pop(key, None)
        if view is None:
            return
        if self.dropped is not None:
            self.dropped(view)
        group = self._groups.pop(key)
        self._leave(key, group)

    def _leave(self, key: Group, group: Group) -> None:
        members = self._members[group]
        members.discard(key)
        if not members:
            del self._members[group]
        self.changed(group)


def _version(thing: Mapping[str, Any]) -> int:
    text = str(thing["metadata"].get("resourceVersion", ""))
    return int(text) if text.isdigit() else 0


def _key(thing: Mapping[str, Any]) -> Group:
    return str(thing["metadata"].get("namespace", "")), str(thing["metadata"]["name"])
