"""The order of targets."""

from __future__ import annotations

from voxk8s.execution.tasks.target_order import SHARES, longest_first


def test_the_longest_chain_comes_first() -> None:
    """A target that would hold up the end of the run starts first."""
    names = [f"short{number}" for number in range(4 * SHARES)]
    needs = {name: list[str]() for name in names} | {"a": [], "long": ["a"]}
    seconds = dict.fromkeys(names, 0.1) | {"a": 4.0, "long": 4.0}
    assert longest_first([*names, "long"], needs, seconds) == ["long", *names]


def test_similar_targets_keep_their_order() -> None:
    """Goals of one case stay together: otherwise the images of all cases would be held."""
    needs = {name: list[str]() for name in "abcd"}
    seconds = {"a": 1.0, "b": 1.1, "c": 1.2, "d": 1.05}
    assert longest_first(list("abcd"), needs, seconds) == list("abcd")
    assert longest_first(["a"], needs, seconds) == ["a"]
