"""Caches of what the cluster holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from voxk8s.cluster.resources import PODS
from voxk8s.controller.observe.informer import Group, Informer


def thing(name: str, value: int, group: str = "g", version: int = 1) -> dict[str, Any]:
    """Make an object."""
    metadata = {"namespace": "ns", "name": name, "resourceVersion": str(version)}
    return {"metadata": metadata, "group": group, "value": value}


class Told:
    """Collects what a cache tells."""

    def __init__(self) -> None:
        self.changed: list[Group] = []
        self.dropped: list[int] = []

        def read(found: Mapping[str, Any]) -> int:
            return int(found["value"])

        self.cache: Informer[int] = Informer(
            PODS, read, lambda found: found["group"], self.changed.append,
            dropped=self.dropped.append,
        )  # fmt: skip


@pytest.fixture
def told() -> Told:
    """An empty cache."""
    return Told()


def test_change_is_told_once(told: Told) -> None:
    """Only what changes the view is told, to the group that it concerns."""
    told.cache.put(thing("a", 1))
    told.cache.put(thing("a", 1, version=2))
    told.cache.put(thing("a", 5, version=3))
    assert told.changed == [("ns", "g"), ("ns", "g")]
    assert told.cache.get("ns", "a") == 5


def test_older_versions_are_ignored(told: Told) -> None:
    """What was written here counts until the watch has caught up."""
    told.cache.put(thing("a", 2, version=20))
    told.cache.put(thing("a", 1, version=10))
    assert told.cache.get("ns", "a") == 2


def test_groups(told: Told) -> None:
    """Objects are found by their group, also after they changed it."""
    told.cache.put(thing("b", 2))
    told.cache.put(thing("a", 1))
    assert told.cache.of(("ns", "g")) == (1, 2)
    told.cache.put(thing("a", 1, "h", version=2))
    assert told.cache.of(("ns", "g")) == (2,)
    assert told.cache.of(("ns", "h")) == (1,)


def test_removal_is_told(told: Told) -> None:
    """A removed object is gone from its group, and both are told."""
    told.cache.put(thing("a", 1))
    told.cache.remove(thing("a", 1))
    assert (told.cache.of(("ns", "g")), len(told.cache)) == ((), 0)
    assert (told.changed[-1], told.dropped) == (("ns", "g"), [1])


def test_snapshot_removes_what_is_not_in_it(told: Told) -> None:
    """After a snapshot the cache holds what is in it, no more."""
    told.cache.put(thing("a", 1))
    told.cache.put(thing("b", 2))
    told.cache.replace([thing("b", 3, version=2), thing("c", 4)])
    assert told.cache.of(("ns", "g")) == (3, 4)
    assert told.dropped == [1]


def test_object_made_anew_counts_from_the_start(told: Told) -> None:
    """After a deletion any version counts again."""
    told.cache.put(thing("a", 1, version=20))
    told.cache.remove(thing("a", 1, version=21))
    told.cache.put(thing("a", 7, version=5))
    assert told.cache.get("ns", "a") == 7


def test_strange_object_stops_nothing(told: Told) -> None:
    """An object that cannot be read is left out; the others stay."""
    told.cache.put(thing("a", 1))
    told.cache.replace([thing("a", 1), {"metadata": {"name": "x"}, "group": "g", "value": "no"}])
    assert told.cache.of(("ns", "g")) == (1,)
