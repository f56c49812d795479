"""Tests of the memory of complete results."""

from __future__ import annotations

from voxk8s.storage.ttl_cache import RecentResults, Seen

SEEN = Seen(None, 3)


def test_entries_grow_old() -> None:
    """What was seen too long ago is asked for again."""
    now = [0.0]
    recent = RecentResults(seconds=10, clock=lambda: now[0])
    recent.add("a", SEEN)
    now[0] = 10.0
    assert recent.get("a") == SEEN
    now[0] = 10.5
    assert recent.get("a") is None


def test_the_longest_unused_goes_first() -> None:
    """The number of entries is bounded; use keeps an entry."""
    recent = RecentResults(most=2)
    recent.add("a", SEEN)
    recent.add("b", SEEN)
    recent.get("a")
    recent.add("c", SEEN)
    assert [recent.get(name) for name in "abc"] == [SEEN, None, SEEN]


def test_dropped_entries_are_gone() -> None:
    """Drop forgets, also what was never there."""
    recent = RecentResults()
    recent.add("a", SEEN)
    recent.drop("a")
    recent.drop("b")
    assert recent.get("a") is None
