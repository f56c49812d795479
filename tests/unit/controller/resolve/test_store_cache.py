"""Stores that a process of the operator has open."""

from __future__ import annotations

import pytest

from voxk8s.controller.resolve import store_cache
from voxk8s.controller.resolve.store_cache import MAX_AGE, StoreCache
from voxk8s.errors import StoreUnreachable
from voxk8s.storage import ResultStore, StoreOptions, open_store

URL = "s3://results"
MINE, YOURS = StoreOptions(key="me", secret="x"), StoreOptions(key="you", secret="x")


class Building:
    """StoreCache, a clock, and a count of the stores that were opened."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.opened: list[StoreOptions | None] = []
        self.error: Exception | None = None
        self.stores = StoreCache(lambda: self.seconds)

    def open_store(
        self, url: str, *, options: StoreOptions | None = None, env: object = None
    ) -> ResultStore:
        """Stand in for the real thing."""
        self.opened.append(options)
        if self.error is not None:
            raise self.error
        return open_store("memory://stores")


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> Building:
    """A building whose doors are all closed."""
    made = Building()
    monkeypatch.setattr(store_cache, "open_store", made.open_store)
    return made


def test_many_plans_share_a_store(building: Building) -> None:
    """Plans that come together use one store, which is tried once."""
    first = building.stores.get(URL, MINE)
    building.seconds += MAX_AGE / 2
    assert building.stores.get(URL, MINE) is first
    assert first.conditional_writes
    assert len(building.opened) == 1


def test_a_store_is_opened_anew_after_a_while(building: Building) -> None:
    """What a store remembers must not grow old: results may be deleted at any time."""
    first = building.stores.get(URL, MINE)
    building.seconds += MAX_AGE
    assert building.stores.get(URL, MINE) is not first


def test_nobody_enters_with_the_keys_of_others(building: Building) -> None:
    """The same store with other credentials is another one."""
    building.stores.get(URL, MINE)
    building.stores.get(URL, YOURS)
    assert building.opened == [MINE, YOURS]


def test_a_failure_is_not_remembered(building: Building) -> None:
    """A store that was away is asked again at once."""
    building.error = StoreUnreachable("away")
    with pytest.raises(StoreUnreachable):
        building.stores.get(URL, MINE)
    building.error = None
    assert building.stores.get(URL, MINE).conditional_writes
