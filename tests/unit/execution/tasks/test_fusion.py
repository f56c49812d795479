"""Which operations share a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from voxk8s.execution.tasks.fusion import (
    FETCHES_INSIDE,
    GROUP_WEIGHT,
    LARGE_WEIGHT,
    PACK_FROM,
    FusionGroup,
    OperationTraits,
    fuse,
)
from voxk8s.plan import ResultKey

Needs = Mapping[ResultKey, Sequence[ResultKey]]


def _key(name: object) -> ResultKey:
    return ResultKey(str(name))


def _keys(*names: object) -> list[ResultKey]:
    return [_key(name) for name in names]


def _needs(**needs: str) -> dict[ResultKey, list[ResultKey]]:
    return {_key(name): _keys(*arguments.split()) for name, arguments in needs.items()}


def _fuse(needs: Needs, cheap: str = "", targets: str = "", known: str = "") -> list[list[str]]:
    traits = OperationTraits(
        set(_keys(*cheap.split())), set(_keys(*cheap.split())), set(_keys(*targets))
    )
    groups = fuse(list(needs), needs, set(_keys(*known.split())), traits)
    return [list(group.members) for group in groups]


def test_a_chain_of_cheap_operations_is_one_task() -> None:
    """Cheap operations that only one other uses go into its task."""
    assert _fuse(_needs(a="", b="a", c="b"), cheap="a b c") == [["a", "b", "c"]]


def test_expensive_operations_stay_alone() -> None:
    """Operations without a cost hint are tasks of their own, also in a chain."""
    assert _fuse(_needs(a="", b="a", c="b")) == [["a"], ["b"], ["c"]]


def test_cheap_ones_join_the_expensive_one_that_uses_them() -> None:
    """A cheap operation runs inside the task of its only user, however expensive that is."""
    assert _fuse(_needs(a="", b="a", c="b"), cheap="a") == [["a", "b"], ["c"]]


def test_a_diamond_of_cheap_operations_is_one_task() -> None:
    """Branches that diverge and join again stay in one task."""
    needs = _needs(a="", b="a", c="a", d="b c")
    assert _fuse(needs, cheap="a b c d") == [["a", "b", "c", "d"]]


def test_a_result_that_several_tasks_use_has_its_own_task() -> None:
    """A cheap operation with users in different tasks is computed once, in its own task."""
    assert _fuse(_needs(a="", b="a", c="a"), cheap="a b c") == [["a"], ["b"], ["c"]]


def test_a_target_is_a_task_of_its_own() -> None:
    """A goal is delivered when it is computed, not when its users are."""
    assert _fuse(_needs(a="", b="a"), cheap="a b", targets="a") == [["a"], ["b"]]


def test_the_weight_of_a_task_is_bounded() -> None:
    """A long chain is split by weight; operations on images weigh more."""
    names = _keys(*range(2 * GROUP_WEIGHT))
    needs = {name: names[number - 1 : number] for number, name in enumerate(names)}
    needs[names[0]] = []
    small = fuse(names, needs, (), OperationTraits(set(names), set(names), ()))
    assert [len(group.members) for group in small] == [GROUP_WEIGHT] * 2
    large = fuse(names, needs, (), OperationTraits(set(names), (), ()))
    assert max(len(group.members) for group in large) == GROUP_WEIGHT // LARGE_WEIGHT


def test_a_wide_layer_is_packed() -> None:
    """Many independent cheap operations become few tasks that export all their results."""
    names = _keys(*range(GROUP_WEIGHT + 1))
    groups = fuse(
        names, {name: [] for name in names}, (), OperationTraits(set(names), set(names), names)
    )
    assert [len(group.exports) for group in groups] == [GROUP_WEIGHT, 1]


def test_a_layer_of_images_is_not_packed() -> None:
    """Large values would all be held until the last user of the task has run."""
    names = _keys(*range(2 * PACK_FROM))
    groups = fuse(names, {name: [] for name in names}, (), OperationTraits(set(names), (), names))
    assert len(groups) == len(names)


def test_known_results_are_read_where_they_are_used() -> None:
    """A known result that one task uses is read in it; one that several use is read once."""
    needs = _needs(a="k", b="k m")
    groups = fuse(list(needs), needs, set(_keys("k", "m")), OperationTraits((), (), ()))
    assert groups == [
        FusionGroup([], _keys("k"), _keys("k")),
        FusionGroup(_keys("a"), _keys("a")),
        FusionGroup(_keys("b"), _keys("b"), _keys("m")),
    ]


def test_many_known_results_are_read_in_parallel() -> None:
    """A task reads a few results itself; each further one has its own task."""
    names = [f"k{number}" for number in range(FETCHES_INSIDE + 3)]
    needs = {_key("a"): _keys(*names)}
    groups = fuse(list(needs), needs, set(_keys(*names)), OperationTraits((), (), ()))
    assert len(groups) == 1 + 3
    assert len(groups[-1].fetches) == FETCHES_INSIDE


@st.composite
def _graphs(
    draw: st.DrawFn,
) -> tuple[dict[ResultKey, list[ResultKey]], OperationTraits, set[ResultKey]]:
    size = draw(st.integers(1, 120))
    known = set(_keys(*(f"k{number}" for number in range(draw(st.integers(0, 3))))))
    names = _keys(*range(size))
    needs: dict[ResultKey, list[ResultKey]] = {}
    for number, name in enumerate(names):
        below = [*names[max(0, number - 40) : number], *sorted(known)]
        needs[name] = draw(st.lists(st.sampled_from(below), max_size=3)) if below else []
    subsets = st.sets(st.sampled_from(names))
    expensive = draw(subsets)
    cheap = set(names) - expensive
    return needs, OperationTraits(cheap, cheap - draw(subsets), draw(subsets)), known


@given(_graphs())
def test_groups_are_a_partition_in_topological_order(
    case: tuple[dict[ResultKey, list[ResultKey]], OperationTraits, set[ResultKey]],
) -> None:
    """Each operation is in one group, after its arguments, with at most one expensive one."""
    needs, traits, known = case
    groups = fuse(list(needs), needs, known, traits)
    members = [key for group in groups for key in group.members]
    assert sorted(members) == sorted(needs)
    available: set[ResultKey] = set()
    for group in groups:
        inside = set(group.fetches)
        assert inside <= known
        for key in group.members:
            assert set(needs[key]) <= inside | available
            inside.add(key)
        assert set(group.exports) <= inside
        available |= set(group.exports)
        expensive = [key for key in group.members if key not in traits.cheap]
        assert len(expensive) <= 1
        assert all(key in group.exports for key in group.members if key in traits.targets)
