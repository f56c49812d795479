"""Which operations begin a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voxk8s.execution.tasks.fusion_graph import FusionGraph
from voxk8s.execution.tasks.partition import JOIN_SECONDS, MAX_MEMBERS, find_roots
from voxk8s.plan import ResultKey


def _graph(needs: Mapping[str, str], seconds: Mapping[str, float]) -> FusionGraph:
    order = [ResultKey(name) for name in needs]
    arguments: dict[ResultKey, Sequence[ResultKey]] = {
        ResultKey(name): [ResultKey(each) for each in text.split()] for name, text in needs.items()
    }
    costs = {ResultKey(name): cost for name, cost in seconds.items()}
    return FusionGraph.create(order, arguments, (), (), order, order[-1:], costs)


def test_a_group_takes_no_longer_than_the_limit() -> None:
    """The costs of a chain add up; what does not fit begins the next group."""
    graph = _graph({"a": "", "b": "a", "c": "b"}, {"a": 1.0, "b": 1.0, "c": 1.0})
    assert find_roots(graph, 3.5) == [2, 2, 2]
    assert find_roots(graph, 2.5) == [1, 1, 2]
    assert find_roots(graph, 0.5) == [0, 1, 2]


def test_little_joins_a_long_operation() -> None:
    """What costs next to nothing is computed where it is used."""
    needs = {"a": "", "b": "a", "long": "b", "end": "long"}
    costs = {"a": JOIN_SECONDS / 9, "b": JOIN_SECONDS / 9, "long": 9.0, "end": 1.0}
    assert find_roots(_graph(needs, costs), 2.0) == [2, 2, 2, 3]
    assert find_roots(_graph(needs, costs | {"a": 10 * JOIN_SECONDS}), 2.0) == [1, 1, 2, 3]


def test_light_parts_stay_where_heavy_ones_are_cut_off() -> None:
    """Of many parts that do not fit, those of little cost remain with what uses them."""
    needs = {"a": "", "b": "", "c": "", "end": "a b c"}
    assert find_roots(_graph(needs, {"a": 0.9, "b": 0.01, "c": 0.9, "end": 0.0}), 1.0) == [
        0,
        3,
        2,
        3,
    ]


def test_light_parts_are_bounded_too() -> None:
    """Ten thousand operations of microseconds are not one task because their end is."""
    names = [f"n{number}" for number in range(3 * MAX_MEMBERS)]
    needs = dict.fromkeys(names, "") | {"end": " ".join(names)}
    roots = find_roots(_graph(needs, dict.fromkeys(needs, 1e-6)), 10.0)
    assert roots.count(len(names)) == MAX_MEMBERS
