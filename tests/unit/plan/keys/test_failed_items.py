"""Which items of loops a run may skip, and what is computed without them."""

from __future__ import annotations

from collections.abc import Mapping, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.kernels import registry
from voxk8s.plan import KeyGraph, OperationId, ResultKey, key_graph
from voxk8s.plan.keys.failed_items import FailedItem, failed_items
from voxk8s.program import compile_program


def graph_of(text: str, skipped: Set[OperationId] = frozenset()) -> KeyGraph:
    """Return the key graph of a program."""
    return key_graph(compile_program(text), registry(), skipped=skipped)


def evaluated(graph: KeyGraph) -> tuple[Mapping[ResultKey, float], set[ResultKey]]:
    """Return the numbers under the keys of a graph of divisions, and the keys that fail."""
    values: dict[ResultKey, float] = {}
    failed: set[ResultKey] = set()
    for key, node in graph.nodes.items():
        value = getattr(node, "value", None)
        if isinstance(value, int | float):
            values[key] = float(value)
        elif getattr(node, "kernel", "") == "default.division":
            left, right = node.arguments
            if right in values and values[right] == 0:
                failed.add(key)
            elif left in values and right in values:
                values[key] = values[left] / values[right]
    return values, failed


def skipped_of(text: str) -> tuple[list[FailedItem], KeyGraph]:
    """Return the items that are skipped until nothing fails any more, and the last graph."""
    found: dict[OperationId, FailedItem] = {}
    while True:
        graph = graph_of(text, found.keys())
        _, failed = evaluated(graph)
        more = failed_items(graph, failed, frozenset(), found.keys())
        if not more:
            return list(found.values()), graph
        found |= {each.result: each for each in more}


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 4.0]), min_size=1, max_size=8))
def test_the_rest_has_the_keys_of_a_program_without_the_items(xs: list[float]) -> None:
    """So no result of a part is ever stored as that of the whole, and nothing is computed twice."""
    good = [x for x in xs if x]
    text = "let ys = for x in {} do 1 / x\nlet zs = for y in ys do y / 2\n"
    goals = 'print "y" ys\nprint "z" zs\nprint "m" mean(zs)\nprint "s" zs + ys\nsave "z.json" zs\n'
    items, graph = skipped_of(text.format(xs) + goals)
    whole = graph_of(text.format(xs) + goals)
    if not good:
        assert items == []
        assert [goal.key for goal in graph.goals] == [goal.key for goal in whole.goals]
        return
    assert {each.position for each in items} <= {at for at, x in enumerate(xs) if not x}
    assert bool(items) is (len(good) < len(xs))
    expected = graph_of(text.format(good) + goals)
    assert [goal.key for goal in graph.goals] == [goal.key for goal in expected.goals]
    if items:
        assert not {goal.key for goal in graph.goals} & {goal.key for goal in whole.goals}


@given(
    st.lists(
        st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=3), min_size=1, max_size=4
    )
)
def test_of_nested_loops_the_inner_items_are_skipped(rows: list[list[float]]) -> None:
    """A row of which something is left stays, one of which nothing is left is skipped itself."""
    text = 'print "m" for row in {} do mean(for x in row do 1 / x)\n'
    _, graph = skipped_of(text.format(rows))
    left = [[x for x in row if x] for row in rows if any(row)]
    whole = [[x for x in row if x] or row for row in rows]
    expected = graph_of(text.format(left or whole))
    assert graph.goals[0].key == expected.goals[0].key


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("argmax(ys)", "argmax"),
        ("ys[1:]", "subsequence"),
        ("ys[argmax([0, 1])]", "index"),
        ("gather(ys, [0])", "gather"),
        ("ys[1]", "index"),
    ],
)
def test_what_depends_on_positions_is_refused(value: str, name: str) -> None:
    """The positions of the items that are left are others: a value would be silently wrong."""
    text = f'let ys = for x in [1, 0, 2] do 1 / x\nprint "all" ys\nprint "v" {value}\n'
    _, graph = skipped_of(text)
    assert graph.goals[0].key is not None
    assert graph.goals[1].key is None
    (reason,) = graph.rejected.values()
    assert reason.startswith(f"{name}: items of its sequence have failed")


def test_a_position_of_the_program_finds_its_item() -> None:
    """Also after the items that are left out."""
    text = "let ys = for x in [1, 0, 2] do 1 / x\n"
    _, graph = skipped_of(text + 'print "all" ys\nprint "v" ys[2]\n')
    assert graph.goals[1].key == graph_of('print "v" 1 / 2\n').goals[0].key


def test_nothing_is_recorded_where_items_may_not_be_skipped() -> None:
    """A run that fails with its items keeps no list of them."""
    plan = compile_program('print "v" for x in [1, 0] do 1 / x\n')
    assert not key_graph(plan, registry()).loops
