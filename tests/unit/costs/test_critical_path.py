"""The longest chains of a graph."""

from __future__ import annotations

from voxk8s.costs.critical_path import UNKNOWN_SECONDS, chain_seconds


def test_chains_add_up_and_the_longest_counts() -> None:
    """A task ends after the later of those that it depends on."""
    needs = {"a": [], "b": [], "c": ["a", "b"], "d": ["c"]}
    seconds = {"a": 1.0, "b": 3.0, "c": 1.0, "d": 0.5}
    assert chain_seconds(needs, seconds) == {"a": 1.0, "b": 3.0, "c": 4.0, "d": 4.5}


def test_unknown_costs_are_finite() -> None:
    """One unknown task does not make all chains equally long."""
    assert chain_seconds({"a": []}, {"a": float("inf")}) == {"a": UNKNOWN_SECONDS}
