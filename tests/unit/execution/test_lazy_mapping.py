"""Mappings that are made when they are first used."""

from __future__ import annotations

from voxk8s.execution.lazy_mapping import LazyMapping


def test_a_mapping_is_made_once_when_it_is_used() -> None:
    """Creating it costs nothing; afterwards it is what was made."""
    calls: list[int] = []

    def make() -> dict[str, int]:
        calls.append(1)
        return {"a": 1, "b": 2}

    mapping = LazyMapping(make)
    assert not calls
    assert mapping["a"] == 1
    assert mapping == {"a": 1, "b": 2}
    assert (list(mapping), len(mapping), repr(mapping)) == (["a", "b"], 2, "{'a': 1, 'b': 2}")
    assert calls == [1]
