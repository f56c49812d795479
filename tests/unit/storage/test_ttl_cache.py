"""A cache that is bounded in number, weight and age."""

from __future__ import annotations

from voxk8s.storage.ttl_cache import TTLCache


def test_entries_expire() -> None:
    """An entry is returned up to its age limit, and not after it."""
    now = [0.0]
    cache: TTLCache[int] = TTLCache(10, 10.0, clock=lambda: now[0])
    cache.put("a", 1)
    now[0] = 10.0
    assert cache.get("a") == 1
    now[0] = 10.5
    assert cache.get("a") is None


def test_the_least_recently_used_entry_is_evicted() -> None:
    """The number of entries is bounded; a get keeps an entry."""
    cache: TTLCache[str] = TTLCache(2, 60.0)
    cache.put("a", "A")
    cache.put("b", "B")
    cache.get("a")
    cache.put("c", "C")
    assert [cache.get(name) for name in "abc"] == ["A", None, "C"]


def test_dropped_entries_are_gone() -> None:
    """Drop removes an entry, and ignores one that is not there."""
    cache: TTLCache[int] = TTLCache(2, 60.0)
    cache.put("a", 1)
    cache.drop("a")
    cache.drop("b")
    assert cache.get("a") is None


def test_heavy_entries_evict_others() -> None:
    """The sum of weights is bounded, whatever was replaced, dropped or expired before."""
    now = [0.0]
    cache: TTLCache[str] = TTLCache(10, 60.0, max_weight=10, clock=lambda: now[0])
    for _ in range(3):
        cache.put("a", "A", 4)
        cache.put("b", "B", 4)
    assert [cache.get(name) for name in "ab"] == ["A", "B"]
    cache.put("c", "C", 4)
    assert [cache.get(name) for name in "abc"] == [None, "B", "C"]
    cache.drop("b")
    now[0] = 61.0
    assert cache.get("c") is None
    cache.put("d", "D", 6)
    cache.put("e", "E", 4)
    assert [cache.get(name) for name in "de"] == ["D", "E"]
    cache.put("f", "F", 11)
    assert [cache.get(name) for name in "def"] == [None, None, None]
