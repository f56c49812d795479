"""The informer: its store, its index, and what it reports."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.support.waiting import until
from voxk8s.cluster.kube_client import ListPage
from voxk8s.cluster.kube_errors import Forbidden, KindMissing
from voxk8s.cluster.resources import PODS
from voxk8s.controller.observe.informer import IndexKey, Informer

G, H = ("ns", "g"), ("ns", "h")


def body(name: str, value: int, index: str = "g", version: int = 1) -> dict[str, Any]:
    """Make an object."""
    metadata = {
        "namespace": "ns", "name": name, "resourceVersion": str(version), "uid": f"u-{name}",
    }  # fmt: skip
    return {"kind": "Pod", "metadata": metadata, "index": index, "value": value}


class Observer:
    """An informer and what it reported."""

    def __init__(self) -> None:
        self.changed: list[IndexKey] = []
        self.deleted: list[int] = []

        def parse(found: Mapping[str, Any]) -> int:
            return int(found["value"])

        self.informer: Informer[int] = Informer(
            PODS, parse, lambda found: found["index"], self.changed.append,
            on_delete=self.deleted.append,
        )  # fmt: skip


@pytest.fixture
def observer() -> Observer:
    """An informer that knows nothing."""
    return Observer()


def test_change_is_reported_once(observer: Observer) -> None:
    """Only an update that changes the view is reported, with the index key of the object."""
    observer.informer.upsert(body("a", 1))
    observer.informer.upsert(body("a", 1, version=2))
    observer.informer.upsert(body("a", 5, version=3))
    assert observer.changed == [G, G]
    assert observer.informer.get("ns", "a") == 5


def test_older_versions_are_ignored(observer: Observer) -> None:
    """The operator's own write is kept until the watch has caught up."""
    observer.informer.upsert(body("a", 2, version=20))
    observer.informer.upsert(body("a", 1, version=10))
    assert observer.informer.get("ns", "a") == 2


def test_index(observer: Observer) -> None:
    """Objects are found by their index key, also after it changed."""
    informer = observer.informer
    informer.upsert(body("b", 2))
    informer.upsert(body("a", 1))
    assert informer.by_index(G) == (1, 2)
    informer.upsert(body("a", 1, "h", version=2))
    assert (informer.by_index(G), informer.by_index(H)) == ((2,), (1,))
    assert informer.index_key("ns", "a") == H


def test_deletion_is_reported(observer: Observer) -> None:
    """A deleted object leaves the store and the index; both callbacks are called."""
    observer.informer.upsert(body("a", 1))
    observer.informer.delete(body("a", 1))
    assert (observer.informer.by_index(G), observer.informer.items()) == ((), [])
    assert (observer.changed[-1], observer.deleted) == (G, [1])


def test_list_deletes_what_it_lacks(observer: Observer) -> None:
    """After a list request the informer has exactly the listed objects."""
    observer.informer.upsert(body("a", 1))
    observer.informer.upsert(body("b", 2))
    observer.informer.replace([body("b", 3, version=2), body("c", 4)])
    assert observer.informer.by_index(G) == (3, 4)
    assert observer.deleted == [1]


def test_recreated_object_starts_with_any_version(observer: Observer) -> None:
    """After a deletion an object with a lower version is accepted."""
    observer.informer.upsert(body("a", 1, version=20))
    observer.informer.delete(body("a", 1, version=21))
    observer.informer.upsert(body("a", 7, version=5))
    assert observer.informer.get("ns", "a") == 7


def test_replaced_object_is_reported_as_deleted(observer: Observer) -> None:
    """A list has another object under a name, whose predecessor's deletion nobody saw."""
    informer = observer.informer
    informer.upsert(body("a", 1, version=20))
    successor = body("a", 7, "h", version=5)
    successor["metadata"]["uid"] = "u-successor"
    informer.replace([successor])
    informer.note_written(body("a", 2, version=21))
    assert observer.deleted == [1]
    assert (informer.by_index(G), informer.by_index(H)) == ((), (7,))


def test_malformed_object_stops_nothing(observer: Observer) -> None:
    """An object that cannot be parsed is skipped; the others stay."""
    observer.informer.upsert(body("a", 1))
    observer.informer.replace(
        [body("a", 1), {"metadata": {"name": "x"}, "index": "g", "value": "no"}]
    )
    assert observer.informer.by_index(G) == (1,)


def test_late_answer_does_not_bring_back_a_deleted_object(observer: Observer) -> None:
    """The answer to a write that arrives after the deletion is ignored, by its uid."""
    observer.informer.upsert(body("a", 1))
    observer.informer.delete(body("a", 1, version=9))
    observer.informer.note_written(body("a", 2, version=8))
    assert observer.informer.items() == []
    other = body("a", 3, version=10)
    other["metadata"]["uid"] = "u-successor"
    observer.informer.note_written(other)
    assert observer.informer.get("ns", "a") == 3


def test_late_answer_does_not_replace_a_successor(observer: Observer) -> None:
    """An object of the same name with another uid is another object."""
    successor = body("a", 7, version=5)
    successor["metadata"]["uid"] = "u-successor"
    observer.informer.upsert(successor)
    observer.informer.note_written(body("a", 2, version=8))
    assert observer.informer.get("ns", "a") == 7


def test_relist_after_a_restore_accepts_lower_versions(observer: Observer) -> None:
    """A completed list is the truth, also when the store of the API server was set back."""
    observer.informer.upsert(body("a", 1, version=900))
    observer.informer.upsert(body("b", 1, version=901))
    observer.informer.replace([body("a", 5, version=12)])
    assert [view for _, view in observer.informer.items()] == [5]
    observer.informer.upsert(body("a", 6, version=13))
    assert observer.informer.get("ns", "a") == 6


def test_what_is_written_during_a_list_stays(observer: Observer) -> None:
    """A list does not remove, or set back, what was written after it was requested."""
    informer = observer.informer
    informer.upsert(body("a", 1, version=3))
    informer.begin_list()
    informer.note_written(body("a", 2, version=20))
    informer.note_written(body("new", 9, version=21))
    informer.add_page(ListPage([body("a", 1, version=3)], "10"))
    assert (informer.get("ns", "a"), informer.get("ns", "new")) == (2, 9)
    informer.replace([body("a", 1, version=3)])
    assert (informer.get("ns", "a"), informer.get("ns", "new")) == (1, None)


def test_what_was_written_before_the_list_was_made_is_in_it(observer: Observer) -> None:
    """What was written after the request and is gone again by the list's version does not stay."""
    informer = observer.informer
    informer.begin_list()
    informer.note_written(body("gone", 9, version=10))
    informer.note_written(body("set-back", 9, version=11))
    informer.note_written(body("new", 7, version=13))
    informer.add_page(ListPage([body("set-back", 8, version=3)], "12", last=False))
    informer.note_written(body("newer", 6, version=14))
    informer.add_page(ListPage([], "12"))
    views = {key.name: view for key, view in informer.items()}
    assert views == {"set-back": 8, "new": 7, "newer": 6}
    assert observer.deleted == [9]


def test_pages_count_together(observer: Observer) -> None:
    """Only after the last page absent objects are gone, and the scope is synced."""
    informer = observer.informer
    informer.upsert(body("old", 1))
    informer.begin_list()
    informer.add_page(ListPage([body("a", 1)], "10", last=False))
    assert informer.get("ns", "old") == 1
    assert not informer.is_synced("ns")
    informer.add_page(ListPage([body("b", 2)], "10"))
    assert sorted(key.name for key, _ in informer.items()) == ["a", "b"]
    assert informer.is_synced("ns")


def test_each_namespace_is_synced_by_its_own_list(observer: Observer) -> None:
    """A list of one namespace says nothing about another one."""
    informer = observer.informer
    informer.follow(["ns", "other"])
    informer.replace([], "ns")
    assert (informer.is_synced("ns"), informer.is_synced("other")) == (True, False)
    assert not informer.synced
    assert informer.sync_error("ns") == ""
    assert informer.sync_error("other") == ("cannot list pods in namespace other: not listed yet")


async def test_what_keeps_a_namespace_from_its_list_is_known(observer: Observer) -> None:
    """The words of the API server explain it; a kind that is not served has no objects."""
    scripted = ScriptedKube()
    scripted.fail("list", Forbidden("pods is forbidden", 403))
    kube: Any = scripted
    running = asyncio.create_task(observer.informer.run(kube, "ns", lambda: 7.0))
    await until(lambda: "pods is forbidden" in observer.informer.sync_error("ns"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    scripted.fail("list", KindMissing("not served", 404))
    running = asyncio.create_task(observer.informer.run(kube, "ns", lambda: 7.0))
    await until(lambda: observer.informer.is_synced("ns"))
    assert observer.informer.last_contact == 7.0  # It is alive: the API server has answered.
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_run_lists_and_watches(observer: Observer) -> None:
    """A running informer has the listed objects once synced, and then follows changes."""
    scripted = ScriptedKube()
    scripted.put(body("a", 1))
    kube: Any = scripted
    informer = observer.informer

    running = asyncio.create_task(informer.run(kube, None, lambda: 7.0))
    await until(lambda: scripted.calls["watch Pod"] > 0)
    assert informer.synced
    assert informer.get("ns", "a") == 1
    scripted.put(body("b", 2))
    await until(lambda: informer.get("ns", "b") == 2)
    assert informer.last_contact == 7.0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
