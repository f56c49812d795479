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
    """What is cheap runs inside the task of its only user, whatever that costs."""
    assert _fuse(_needs(a="", b="a", c="b"), cheap="a") == [["a", "b"], ["c"]]


def test_a_diamond_of_cheap_operations_is_one_task() -> None:
    """Ways that part and meet again stay inside one task."""
    needs = _needs(a="", b="a", c="a", d="b c")
    assert _fuse(needs, cheap="a b c d") == [["a", "b", "c", "d"]]


def test_what_several_tasks_use_is_a_task() -> None:
    """A cheap operation with users in different tasks is computed once, by itself."""
    assert _fuse(_needs(a="", b="a", c="a"), cheap="a b c") == [["a"], ["b"], ["c"]]


def test_a_target_is_a_task_of_its_own() -> None:
    """A goal is delivered when it is there, not when its users are."""
    assert _fuse(_needs(a="", b="a"), cheap="a b", targets="a") == [["a"], ["b"]]


def test_tasks_do_not_grow_for_ever() -> None:
    """A long chain is cut by weight; operations on images weigh more."""
    names = _keys(*range(2 * GROUP_WEIGHT))
    needs = {name: names[number - 1 : number] for number, name in enumerate(names)}
    needs[names[0]] = []
    small = fuse(names, needs, (), OperationTraits(set(names), set(names), ()))
    assert [len(group.members) for group in small] == [GROUP_WEIGHT] * 2
    large = fuse(names, needs, (), OperationTraits(set(names), (), ()))
    assert max(len(group.members) for group in large) == GROUP_WEIGHT // LARGE_WEIGHT


def test_a_wide_layer_is_packed() -> None:
    """Many small cheap results side by side are few tasks, each with all its exports."""
    names = _keys(*range(GROUP_WEIGHT + 1))
    groups = fuse(
        names, {name: [] for name in names}, (), OperationTraits(set(names), set(names), names)
    )
    assert [len(group.exports) for group in groups] == [GROUP_WEIGHT, 1]


def test_a_layer_of_images_is_not_packed() -> None:
    """Values that may be large would all be held until the last of their users has run."""
    names = _keys(*range(2 * PACK_FROM))
    groups = fuse(names, {name: [] for name in names}, (), OperationTraits(set(names), (), names))
    assert len(groups) == len(names)


def test_known_results_are_read_where_they_are_used() -> None:
    """A known result that one task uses is read inside it, one that several use once for all."""
    needs = _needs(a="k", b="k m")
    groups = fuse(list(needs), needs, set(_keys("k", "m")), OperationTraits((), (), ()))
    assert groups == [
        FusionGroup([], _keys("k"), _keys("k")),
        FusionGroup(_keys("a"), _keys("a")),
        FusionGroup(_keys("b"), _keys("b"), _keys("m")),
    ]


def test_many_known_results_are_read_side_by_side() -> None:
    """A task reads a few results itself; more are tasks of their own."""
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
    dear = draw(subsets)
    cheap = set(names) - dear
    return needs, OperationTraits(cheap, cheap - draw(subsets), draw(subsets)), known


@given(_graphs())
def test_groups_are_a_partition_that_can_run(
    case: tuple[dict[ResultKey, list[ResultKey]], OperationTraits, set[ResultKey]],
) -> None:
    """Each operation is in one group; everything is there before it is used; exports suffice."""
    needs, traits, known = case
    groups = fuse(list(needs), needs, known, traits)
    members = [key for group in groups for key in group.members]
    assert sorted(members) == sorted(needs)
    there: set[ResultKey] = set()
    for group in groups:
        inside = set(group.fetches)
        assert inside <= known
        for key in group.members:
            assert set(needs[key]) <= inside | there
            inside.add(key)
        assert set(group.exports) <= inside
        there |= set(group.exports)
        dear = [key for key in group.members if key not in traits.cheap]
        assert len(dear) <= 1
        assert all(key in group.exports for key in group.members if key in traits.targets)
