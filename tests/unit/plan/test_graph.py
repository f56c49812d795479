"""Walks over graphs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.plan.graph import (
    Cycle,
    levels,
    reachable,
    topological_order,
    width,
)

LONG = 100_000


@st.composite
def dags(draw: st.DrawFn) -> dict[int, list[int]]:
    """Return an acyclic graph whose mapping is in any order."""
    size = draw(st.integers(0, 12))
    needs = {
        node: draw(st.lists(st.integers(0, node - 1), max_size=3)) if node else []
        for node in range(size)
    }
    return {node: needs[node] for node in draw(st.permutations(range(size)))}


@given(dags())
def test_order_puts_needs_first(needs: dict[int, list[int]]) -> None:
    """Every node comes once and after all that it needs."""
    order = topological_order(needs)
    place = {node: position for position, node in enumerate(order)}
    assert len(order) == len(place) == len(needs)
    assert all(place[need] < place[node] for node in needs for need in needs[node])


@given(dags(), st.lists(st.integers(0, 11), max_size=3))
def test_reach_is_the_closure_of_needs(needs: dict[int, list[int]], roots: list[int]) -> None:
    """What is reachable is what an order from the roots lists."""
    assert reachable(needs, roots) == set(topological_order(needs, roots))


@given(dags())
def test_levels_are_longest_ways(needs: dict[int, list[int]]) -> None:
    """A node's level is one more than the highest below it."""
    level = levels(needs)
    for node, below in needs.items():
        assert level[node] == max((level[need] + 1 for need in below), default=0)


def test_cycle_names_its_members() -> None:
    """A cycle is reported as the nodes on it, each needing the next."""
    with pytest.raises(Cycle) as caught:
        topological_order({0: [1], 1: [2], 2: [3], 3: [1]})
    assert caught.value.members == (1, 2, 3)


def test_node_that_needs_itself_is_a_cycle() -> None:
    """The shortest cycle has one member."""
    with pytest.raises(Cycle) as caught:
        topological_order({"a": ["a"]})
    assert caught.value.members == ("a",)


def test_empty_graph_has_no_width() -> None:
    """An empty graph has no width."""
    assert width({}) == 0


def test_long_chain_needs_no_recursion() -> None:
    """A chain of 100,000 nodes, listed from its end, is walked."""
    needs = {node: [node - 1] if node else [] for node in reversed(range(LONG))}
    assert topological_order(needs) == list(range(LONG))
    assert width(needs) == 1
    assert len(reachable(needs, [LONG - 1])) == LONG
