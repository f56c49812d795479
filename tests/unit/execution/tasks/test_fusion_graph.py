"""Operations by number."""

from __future__ import annotations

import pytest

from voxk8s.execution.tasks.fusion_graph import (
    CHEAP_SECONDS,
    STEP_SECONDS,
    TASK_SECONDS,
    FusionGraph,
    NumberedGroup,
)
from voxk8s.plan import ResultKey


def _key(name: str) -> ResultKey:
    return ResultKey(name)


def _graph() -> FusionGraph:
    """Return a, b(a, k), c, d(b, c): `k` is known, `c` of unknown cost, `d` cheap and small."""
    arguments = {
        _key("a"): [_key("constant")],
        _key("b"): [_key("a"), _key("k")],
        _key("c"): list[ResultKey](),
        _key("d"): [_key("b"), _key("c")],
    }
    return FusionGraph.create(
        list(arguments),
        arguments,
        [_key("k")],
        [_key("d")],
        [_key("d")],
        [_key("d")],
        {_key("a"): 0.2, _key("b"): 0.3},
    )


def test_arguments_are_numbers_of_operations() -> None:
    """Constants are left out; known results have numbers of their own."""
    graph = _graph()
    assert graph.needs == [[], [0], [], [1, 2]]
    assert graph.fetches == {1: [4]}
    assert list(graph.large) == [1, 1, 1, 0]
    assert list(graph.targets) == [0, 0, 0, 1]


def test_unknown_costs_are_infinite() -> None:
    """They never fuse, and do not count in the sum."""
    graph = _graph()
    assert graph.seconds[2] == float("inf")
    assert graph.total_seconds == pytest.approx(0.5 + CHEAP_SECONDS + 3 * STEP_SECONDS)


def test_the_longest_chain_counts_tasks_and_seconds() -> None:
    """Each task of the chain adds its overhead; fused operations share it."""
    graph = FusionGraph.create(
        [_key("a"), _key("b")],
        {_key("a"): (), _key("b"): (_key("a"),)},
        (),
        (),
        (),
        (),
        {_key("a"): 0.2, _key("b"): 0.3},
    )
    alone = graph.critical_seconds()
    assert alone == pytest.approx(0.5 + 2 * (TASK_SECONDS + STEP_SECONDS))
    fused = graph.critical_seconds([NumberedGroup([0, 1], [1], 0.5)])
    assert fused == pytest.approx(0.5 + TASK_SECONDS)


def test_branches_of_a_group_run_one_after_the_other() -> None:
    """From the exports down, each branch is finished before the next one starts."""
    names = [_key(name) for name in ("a1", "b1", "a2", "b2", "end")]
    needs = [(), (), (names[0],), (names[1],), (names[2], names[3])]
    graph = FusionGraph.create(names, dict(zip(names, needs, strict=True)), (), (), (), (), {})
    assert graph.depth_first(NumberedGroup([0, 1, 2, 3, 4], [4], 0.0)) == [0, 2, 1, 3, 4]
