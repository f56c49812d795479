"""The keys that a store handle has put lately."""

from __future__ import annotations

from voxk8s.storage.recent_keys import RecentKeys


def test_the_oldest_keys_are_forgotten() -> None:
    """The set is bounded; a key that is added again is young again."""
    keys = RecentKeys(max_keys=2)
    for key in ("a", "b", "a", "c"):
        keys.add(key)
    assert [key for key in "abc" if key in keys] == ["a", "c"]


def test_a_discarded_key_is_gone() -> None:
    """A deleted result is not said to be there; an unknown key may be discarded."""
    keys = RecentKeys()
    keys.add("a")
    keys.discard("a")
    keys.discard("b")
    assert "a" not in keys
