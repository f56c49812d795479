"""Looking ahead in the store."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from tests.support.plans_and_runs import PlanMaker
from voxk8s.kernels import registry
from voxk8s.plan import KeyGraph, Prefetch, ResultKey, key_graph, resolve
from voxk8s.plan.keys.prefetch import MAX_CHEAP_MISSES


class Store:
    """Counts questions and keys."""

    def __init__(self, held: Collection[ResultKey] = ()) -> None:
        self.held = set(held)
        self.asked: list[int] = []

    def contains(self, keys: Collection[ResultKey]) -> set[ResultKey]:
        """Answer."""
        self.asked.append(len(keys))
        return self.held.intersection(keys)


def _chain(length: int) -> KeyGraph:
    make = PlanMaker()
    node = make.constant(1.0)
    for _ in range(length):
        node = make("addition", node, 1.0)
    make.show("end", node)
    return key_graph(make.plan(), registry())


def test_a_new_deep_plan_takes_few_questions() -> None:
    """A chain of 20,000 new operations takes a few dozen questions, each key asked once."""
    graph, store = _chain(20_000), Store()
    resolution = resolve(graph, Prefetch(graph, store.contains))
    assert len(resolution.compute) == 20_000
    assert len(store.asked) < 40
    assert sum(store.asked) == 20_000


def test_a_known_goal_takes_one_question_of_one_key() -> None:
    """Nothing below a known goal is asked for."""
    graph = _chain(100)
    [goal] = graph.goals
    store = Store([goal.key] if goal.key else [])
    resolution = resolve(graph, Prefetch(graph, store.contains))
    assert store.asked == [1]
    assert not resolution.compute


@pytest.mark.parametrize("known", [3, 50, 399])
def test_looking_ahead_changes_no_answer(known: int) -> None:
    """Whatever the store holds, the resolution is the one of asking layer by layer."""
    graph = _chain(400)
    keys = [key for key, node in graph.nodes.items() if hasattr(node, "kernel")]
    held = [keys[known]]
    ahead = resolve(graph, Prefetch(graph, Store(held).contains))
    plain = resolve(graph, Store(held).contains)
    assert (ahead.known, ahead.compute) == (plain.known, plain.compute)


def test_cheap_operations_are_not_asked_for_without_end() -> None:
    """After thousands of cheap operations that are new the store is asked for goals only."""
    graph, store = _chain(20_000), Store()
    resolution = resolve(graph, Prefetch(graph, store.contains, lambda _: True))
    assert len(resolution.compute) == 20_000
    assert sum(store.asked) < 3 * MAX_CHEAP_MISSES


def test_a_small_plan_is_asked_for_in_full() -> None:
    """In a plan of hundreds each known operation is found, however cheap."""
    graph = _chain(400)
    keys = [key for key, node in graph.nodes.items() if hasattr(node, "kernel")]
    store = Store([keys[10]])
    resolution = resolve(graph, Prefetch(graph, store.contains, lambda _: True))
    assert resolution.known == {keys[10]}
