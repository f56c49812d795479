"""The order of targets."""

from __future__ import annotations

from voxk8s.execution.tasks.critical_path import (
    SHARES,
    UNKNOWN_SECONDS,
    chain_seconds,
    longest_first,
)


def test_chains_add_up_and_the_longest_counts() -> None:
    """A task ends after the later of those that it depends on."""
    needs = {"a": [], "b": [], "c": ["a", "b"], "d": ["c"]}
    seconds = {"a": 1.0, "b": 3.0, "c": 1.0, "d": 0.5}
    assert chain_seconds(needs, seconds) == {"a": 1.0, "b": 3.0, "c": 4.0, "d": 4.5}


def test_unknown_costs_are_finite() -> None:
    """One unknown task does not make all chains equally long."""
    assert chain_seconds({"a": []}, {"a": float("inf")}) == {"a": UNKNOWN_SECONDS}


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
