"""An informer: mirrors the objects of one kind by list and watch, indexed by their WorkPlan.

The guarantees of client-go's informers, each with a test:

- *Synced*: an object that is absent is known not to exist only in a scope (a namespace, or all)
  that was listed to its end. Each scope has a flag of its own.
- *Relist*: a completed list is the truth, whatever versions were known before: a store that was
  restored from a backup has lower ones. Only what was written since, by its version, stays.
- *Write-through*: the answer to the operator's own write is seen at once, and is not replaced by an
  older state that the watch is still to deliver. It never brings a deleted object back.
- *Deletions*: reported once, also those that happened while there was no watch, even if there is
  another object of that name since.
- *One bad object* does not hide the others.

What an informer shows may still be behind: see `live_observation`.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from voxk8s.cluster.kube_client import (
    WATCH_SILENCE,
    Bookmark,
    Decoder,
    KubeClient,
    ListPage,
    WatchEvent,
)
from voxk8s.cluster.kube_errors import ApiError, Expired, KindMissing
from voxk8s.cluster.reflector import ListStarted, ReflectorEvent, WatchError, list_and_watch
from voxk8s.cluster.resources import ApiResource
from voxk8s.controller.work_queue import ObjectKey

_log = logging.getLogger(__name__)
_MOST_DELETED = 10_000

T = TypeVar("T")
IndexKey: TypeAlias = tuple[str, str]
"""Namespace and index value: the label that names an object's WorkPlan."""


@dataclass(slots=True)
class _Scope:
    """What is known of the objects of a namespace, or of all."""

    synced: bool = False
    error: str = "not listed yet"
    listed: set[ObjectKey] = field(default_factory=set)
    """Objects in the pages of the list that is under way."""
    written: set[ObjectKey] = field(default_factory=set)
    """Objects that were written since it was requested, and may not be in it."""


@dataclass(slots=True)
class Informer(Generic[T]):
    """All objects of one kind as parsed views, by key and by index.

    `on_change` receives the index key of every object that was added, changed or deleted,
    `on_delete` the last view of a deleted object, `on_sync` the namespace (None for all) that was
    listed for the first time. `labels` and `fields` are selectors of the watch.
    """

    resource: ApiResource
    parse: Callable[[Mapping[str, Any]], T]
    index_value: Callable[[Mapping[str, Any]], str]
    on_change: Callable[[IndexKey], None]
    on_delete: Callable[[T], None] | None = None
    on_sync: Callable[[str | None], None] | None = None
    labels: str | None = None
    fields: str | None = None
    decode: Decoder = msgspec.json.decode
    silence: float = WATCH_SILENCE
    last_contact: float = 0.0
    _scopes: dict[str | None, _Scope] = field(default_factory=dict)
    _views: dict[ObjectKey, T] = field(default_factory=dict)
    _versions: dict[ObjectKey, int] = field(default_factory=dict)
    _uids: dict[ObjectKey, str] = field(default_factory=dict)
    _deleted: dict[str, None] = field(default_factory=dict)
    """The uids of deleted objects, the latest last."""
    _index_keys: dict[ObjectKey, IndexKey] = field(default_factory=dict)
    _index: dict[IndexKey, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))
    _disconnected: bool = False

    def follow(self, namespaces: Iterable[str | None]) -> None:
        """Name the scopes that `run` is going to list."""
        for namespace in namespaces:
            self._scopes.setdefault(namespace, _Scope())

    async def run(
        self, kube: KubeClient, namespace: str | None, clock: Callable[[], float]
    ) -> None:
        """Follow the objects of a namespace, or of all, until cancelled."""
        self.follow([namespace])
        stream = list_and_watch(
            kube,
            self.resource,
            namespace,
            label_selector=self.labels,
            field_selector=self.fields,
            decode=self.decode,
            silence=self.silence,
        )
        async for notice in stream:
            self._take(notice, namespace)
            if not isinstance(notice, WatchError | ListStarted):
                self._disconnected = False
                self.last_contact = clock()
            elif isinstance(notice, WatchError) and isinstance(notice.error, KindMissing):
                self.last_contact = clock()  # The API server answers.
            del notice  # It would stay in memory until the next one.

    def _take(self, notice: ReflectorEvent, namespace: str | None) -> None:
        match notice:
            case ListStarted():
                self.begin_list(namespace)
            case ListPage():
                self.add_page(notice, namespace)
            case WatchEvent(type="DELETED", object=body):
                self.delete(body)
            case WatchEvent(object=body):
                self.upsert(body)
            case WatchError(error=error):
                self._note_error(error, namespace)
            case Bookmark():
                pass

    @property
    def synced(self) -> bool:
        """Whether all scopes were listed."""
        return bool(self._scopes) and all(scope.synced for scope in self._scopes.values())

    def is_synced(self, namespace: str) -> bool:
        """Whether the objects of a namespace were listed: what is absent does not exist."""
        scope = self._scopes.get(None) or self._scopes.get(namespace)
        return scope is not None and scope.synced

    def sync_error(self, namespace: str | None = None) -> str:
        """Return why a namespace, or any scope, is not synced; empty if it is."""
        if namespace is not None:
            name = None if None in self._scopes else namespace
            scopes = {name: self._scopes.get(name) or _Scope()}
        else:
            scopes = self._scopes or {None: _Scope()}
        for name, scope in scopes.items():
            if not scope.synced:
                place = f" in namespace {name}" if name else ""
                return f"cannot list {self.resource.plural}{place}: {scope.error}"
        return ""

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

    def begin_list(self, namespace: str | None = None) -> None:
        """Note that a list is requested: only what is written from now on may be newer."""
        scope = self._scopes.setdefault(namespace, _Scope())
        scope.listed, scope.written = set(), set()

    def add_page(self, page: ListPage, namespace: str | None = None) -> None:
        """Take the objects of a page; with the last one those that were in no page are removed."""
        scope = self._scopes.setdefault(namespace, _Scope())
        listed_at = _version_number(page.resource_version)
        # What was written before the list was made is in it, or is gone again.
        scope.written = {key for key in scope.written if self._versions.get(key, 0) > listed_at}
        for body in page.items:
            key = _key(body)
            scope.listed.add(key)
            self._deleted.pop(_uid(body), None)
            if key not in scope.written:
                self._versions.pop(key, None)  # The list is right, even if its version is lower.
            self._put(body)
        if not page.last:
            return
        kept = scope.listed | scope.written
        for key in [key for key in self._views if key not in kept]:
            if namespace is None or key.namespace == namespace:
                self._remove(key)
        scope.listed = set()
        self._note_synced(namespace)

    def replace(self, items: Iterable[Mapping[str, Any]], namespace: str | None = None) -> None:
        """Replace the objects of a namespace, or all, by the result of a list request."""
        self.begin_list(namespace)
        self.add_page(ListPage([dict(body) for body in items], ""), namespace)

    def upsert(self, body: Mapping[str, Any]) -> None:
        """Add or update an object that the watch reports, unless a newer version is known."""
        self._deleted.pop(_uid(body), None)
        self._put(body)

    def note_written(self, body: Mapping[str, Any]) -> None:
        """Add or update an object by the answer to the operator's own write of it.

        The answer may be late: it is ignored if that object was deleted or replaced since.
        """
        key, uid = _key(body), _uid(body)
        if uid in self._deleted or self._uids.get(key, uid) != uid:
            return
        for scope in self._scopes.values():
            scope.written.add(key)
        self._put(body)

    def delete(self, body: Mapping[str, Any]) -> None:
        """Remove a deleted object."""
        self._bury(_uid(body))
        self._remove(_key(body))

    def _put(self, body: Mapping[str, Any]) -> None:
        key, uid = _key(body), _uid(body)
        version = _resource_version(body)
        replaced = self._uids.get(key, uid) != uid
        if replaced:
            self._versions.pop(key, None)  # Another object of the same name.
        if version < self._versions.get(key, 0):
            return  # The operator's own write is already here; the watch is still behind it.
        index_key = (key.namespace, self.index_value(body))
        try:
            view = self.parse(body)
        except Exception:  # noqa: BLE001 - one malformed object must not stop the watch of the others
            _log.exception("cannot parse %s %s", self.resource.kind, key)
            return
        if replaced:
            self._remove(key)  # Its deletion was not seen.
        self._versions[key], self._uids[key] = version, uid
        old = self._index_keys.get(key)
        if old is not None and old != index_key:
            self._unindex(key, old)
        if old == index_key and self._views.get(key) == view:
            return
        self._views[key] = view
        self._index_keys[key] = index_key
        self._index[index_key].add(key)
        self.on_change(index_key)

    def _remove(self, key: ObjectKey) -> None:
        view = self._views.pop(key, None)
        self._versions.pop(key, None)
        for scope in self._scopes.values():
            scope.written.discard(key)
        self._bury(self._uids.pop(key, ""))
        if view is None:
            return
        if self.on_delete is not None:
            self.on_delete(view)
        self._unindex(key, self._index_keys.pop(key))

    def _bury(self, uid: str) -> None:
        if uid:
            self._deleted[uid] = None
        if len(self._deleted) > _MOST_DELETED:
            del self._deleted[next(iter(self._deleted))]

    def _unindex(self, key: ObjectKey, index_key: IndexKey) -> None:
        members = self._index[index_key]
        members.discard(key)
        if not members:
            del self._index[index_key]
        self.on_change(index_key)

    def _note_synced(self, namespace: str | None) -> None:
        scope = self._scopes.setdefault(namespace, _Scope())
        if not scope.synced:
            scope.synced, scope.error = True, ""
            if self.on_sync is not None:
                self.on_sync(namespace)

    def _note_error(self, error: ApiError, namespace: str | None) -> None:
        scope = self._scopes.setdefault(namespace, _Scope())
        if isinstance(error, KindMissing):
            # There is no object of a kind that the API server does not serve.
            self._note_synced(namespace)
        elif not scope.synced:
            scope.error = str(error)
        # An expired resource version is normal: the reflector lists again.
        if not self._disconnected and not isinstance(error, Expired):
            _log.warning("the watch of %s failed: %s", self.resource.plural, error)
        self._disconnected = True


def _resource_version(body: Mapping[str, Any]) -> int:
    return _version_number(str(body["metadata"].get("resourceVersion", "")))


def _version_number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _uid(body: Mapping[str, Any]) -> str:
    return str(body["metadata"].get("uid", ""))


def _key(body: Mapping[str, Any]) -> ObjectKey:
    return ObjectKey(str(body["metadata"].get("namespace", "")), str(body["metadata"]["name"]))
