"""What a store leaves to do."""

from __future__ import annotations

import gc
from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from tests.support.plan_documents import Form, constant, goal, graph_of, operation
from voxk8s.plan import KeyGraph, KeyOperation, ResultKey, resolve


class Store:
    """Holds some keys and remembers what it was asked."""

    def __init__(self, held: Collection[ResultKey]) -> None:
        self.held = set(held)
        self.questions: list[list[ResultKey]] = []

    def contains(self, keys: Collection[ResultKey]) -> set[ResultKey]:
        """Return those keys that are held."""
        self.questions.append(list(keys))
        return self.held.intersection(keys)


@st.composite
def cases(draw: st.DrawFn) -> tuple[KeyGraph, set[ResultKey]]:
    """Return a graph and what a store holds of it."""
    size = draw(st.integers(1, 12))
    nodes: list[Form] = [constant("n0", 1.0)]
    for at in range(1, size + 1):
        needs = draw(st.lists(st.integers(0, at - 1), min_size=1, max_size=3))
        nodes.append(operation(f"n{at}", "sequence", *(f"n{need}" for need in needs)))
    asked = draw(st.lists(st.integers(0, size), max_size=4))
    goals = [goal(f"n{at}", "x.json", draw(st.sampled_from(["print", "save"]))) for at in asked]
    graph = graph_of(*nodes, goals=goals)
    operations = [key for key, node in graph.nodes.items() if isinstance(node, KeyOperation)]
    held = draw(st.sets(st.sampled_from(operations))) if operations else set()
    return graph, held


def naive(graph: KeyGraph, held: set[ResultKey]) -> tuple[set[ResultKey], set[ResultKey]]:
    """Return what is known and what to compute, by plain recursion."""
    known: set[ResultKey] = set()
    compute: set[ResultKey] = set()

    def visit(key: ResultKey) -> None:
        node = graph.nodes[key]
        if not isinstance(node, KeyOperation):
            return
        if key in held:
            known.add(key)
            return
        compute.add(key)
        for each in node.arguments:
            visit(each)

    for each in graph.goals:
        assert each.key is not None
        visit(each.key)
    return known, compute


@given(cases())
def test_resolution_is_the_naive_one(case: tuple[KeyGraph, set[ResultKey]]) -> None:
    """What is known and what is to compute are what plain recursion finds."""
    graph, held = case
    store = Store(held)
    resolution = resolve(graph, store.contains)
    known, compute = naive(graph, held)
    assert resolution.known == known
    assert set(resolution.compute) == compute
    assert len(resolution.compute) == len(compute)
    done = set(known)
    for key in resolution.compute:
        needed = graph.nodes[key].arguments
        assert all(n in done or not isinstance(graph.nodes[n], KeyOperation) for n in needed)
        done.add(key)
    everything = naive(graph, set())[1]
    assert resolution.total == len(everything)
    assert resolution.cached == len(known)
    assert resolution.total == resolution.cached + len(compute) + resolution.skipped


@given(cases())
def test_nothing_below_known_work_is_looked_up(case: tuple[KeyGraph, set[ResultKey]]) -> None:
    """The store is asked once a front, once a key, never for constants or below known keys."""
    graph, held = case
    store = Store(held)
    resolution = resolve(graph, store.contains)
    asked = [key for question in store.questions for key in question]
    assert sorted(asked) == sorted([*resolution.known, *resolution.compute])
    assert len(store.questions) == resolution.rounds
    front = {each.key for each in graph.goals}
    for question in store.questions:
        assert question
        assert front.issuperset(question)
        missing = set(question) - held
        front = {need for key in missing for need in graph.nodes[key].arguments}


def chain(count: int) -> KeyGraph:
    """Return a chain of operations."""
    nodes = [operation(f"n{at}", "near", f"n{at - 1}") for at in range(1, count + 1)]
    return graph_of(constant("n0", 1.0), *nodes, goals=[goal(f"n{count}")])


def test_known_plan_costs_one_question() -> None:
    """A plan whose goals are held asks once, for the goals."""
    graph = chain(100)
    store = Store(graph.nodes)
    resolution = resolve(graph, store.contains)
    assert store.questions == [[graph.goals[0].key]]
    assert (resolution.total, resolution.cached, resolution.skipped) == (100, 1, 99)
    assert resolution.compute == ()
    assert resolution.width == 0


def test_width_is_of_what_is_left() -> None:
    """The width counts operations to compute that can run side by side, not known ones."""
    nodes = [constant(f"c{at}", at) for at in range(6)]
    nodes += [operation(f"a{at}", "near", f"c{at}") for at in range(6)]
    every = operation("all", "sequence", *(f"a{at}" for at in range(6)))
    graph = graph_of(*nodes, every, goals=[goal("all")])
    assert resolve(graph, Store([]).contains).width == 6
    held = graph.nodes[graph.goals[0].key].arguments[:4]  # type: ignore[index]  # a result key, no constant
    assert resolve(graph, Store(held).contains).width == 2


def test_pivots_of_deferred_work_are_resolved_too() -> None:
    """What a deferred loop waits for is computed, though its goal has no key yet."""
    graph = graph_of(
        constant("c", "s3://x/a"),
        operation("u", "strings.concat", "c"),
        operation("l", "load", "u"),
        goals=[goal("l")],
    )
    resolution = resolve(graph, Store([]).contains)
    assert resolution.compute == (graph.deferred[0].pivot,)


def test_long_chain_is_resolved() -> None:
    """A chain of 100,000 operations is resolved without recursion."""
    resolution = resolve(chain(100_000), Store([]).contains)
    assert len(resolution.compute) == 100_000
    assert resolution.width == 1


def test_the_garbage_collector_runs_while_the_store_is_asked() -> None:
    """A store that answers late does not let the memory of other threads grow meanwhile."""
    running: list[bool] = []

    def contains(_: Collection[ResultKey]) -> set[ResultKey]:
        running.append(gc.isenabled())
        return set()

    resolve(chain(3), contains)
    assert running
    assert all(running)
