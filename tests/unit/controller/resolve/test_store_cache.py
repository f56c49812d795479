"""The cache of open stores."""

from __future__ import annotations

import pytest

from voxk8s.controller.resolve import store_cache
from voxk8s.controller.resolve.store_cache import MAX_AGE, StoreCache
from voxk8s.errors import StoreUnreachable
from voxk8s.storage import ResultStore, StoreOptions, TrustDomains, open_store

URL = "s3://results"
MINE, YOURS = StoreOptions(key="me", secret="x"), StoreOptions(key="you", secret="x")


class CountingCache:
    """StoreCache, a clock, and a count of the stores that were opened."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.opened: list[StoreOptions | None] = []
        self.error: Exception | None = None
        self.stores = StoreCache(lambda: self.seconds)

    def open_store(
        self, url: str, *, options: StoreOptions | None = None, **_: object
    ) -> ResultStore:
        """Open a store in memory, or raise the scripted error."""
        self.opened.append(options)
        if self.error is not None:
            raise self.error
        return open_store("memory://stores")


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> CountingCache:
    """An empty cache that opens stores in memory."""
    made = CountingCache()
    monkeypatch.setattr(store_cache, "open_store", made.open_store)
    return made


def test_plans_share_a_store(cache: CountingCache) -> None:
    """Plans that are resolved at the same time share one store, probed once."""
    first = cache.stores.get(URL, MINE)
    cache.seconds += MAX_AGE / 2
    assert cache.stores.get(URL, MINE) is first
    assert first.conditional_writes
    assert len(cache.opened) == 1


def test_stores_expire(cache: CountingCache) -> None:
    """A store is opened again after MAX_AGE: what it caches may be outdated."""
    first = cache.stores.get(URL, MINE)
    cache.seconds += MAX_AGE
    assert cache.stores.get(URL, MINE) is not first


def test_credentials_are_not_shared(cache: CountingCache) -> None:
    """A store is never shared between different credentials."""
    cache.stores.get(URL, MINE)
    cache.stores.get(URL, YOURS)
    assert cache.opened == [MINE, YOURS]


def test_domains_are_not_shared(cache: CountingCache) -> None:
    """Nor between trust domains of one store."""
    cache.stores.get(URL, MINE, TrustDomains("a"))
    cache.stores.get(URL, MINE, TrustDomains("a", ("b",)))
    assert len(cache.opened) == 2


def test_failures_are_not_cached(cache: CountingCache) -> None:
    """A failure to open a store is not cached."""
    cache.error = StoreUnreachable("away")
    with pytest.raises(StoreUnreachable):
        cache.stores.get(URL, MINE)
    cache.error = None
    assert cache.stores.get(URL, MINE).conditional_writes
