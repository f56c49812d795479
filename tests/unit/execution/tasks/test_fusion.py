"""Which operations share a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from voxk8s.execution.tasks.fusion import (
    FETCHES_INSIDE,
    GROUP_SECONDS,
    MIN_GROUP_SECONDS,
    MIN_PARALLELISM,
    TASKS_PER_THREAD,
    FusionGroup,
    OperationTraits,
    fuse,
)
from voxk8s.execution.tasks.packing import PACK_FROM, PACK_IMAGES_FROM
from voxk8s.execution.tasks.partition import MAX_IMAGES, MAX_MEMBERS
from voxk8s.execution.tasks.scheduling import check_groups
from voxk8s.plan import ResultKey

Needs = Mapping[ResultKey, Sequence[ResultKey]]


def _key(name: object) -> ResultKey:
    return ResultKey(str(name))


def _keys(*names: object) -> list[ResultKey]:
    return [_key(name) for name in names]


def _needs(**needs: str) -> dict[ResultKey, list[ResultKey]]:
    return {_key(name): _keys(*arguments.split()) for name, arguments in needs.items()}


def _fuse(
    needs: Needs,
    cheap: str = "",
    targets: str = "",
    known: str = "",
    *,
    images: str = "",
    **seconds: float,
) -> list[list[str]]:
    """Return the members of all groups; the last operation is a target as well.

    Values of cheap operations are small except for those of `images`, others are images.
    """
    small = set(_keys(*cheap.split())) - set(_keys(*images.split()))
    traits = OperationTraits(
        set(_keys(*cheap.split())),
        small,
        {*_keys(*targets), list(needs)[-1]},
        {_key(name): cost for name, cost in seconds.items()},
    )
    groups = fuse(list(needs), needs, set(_keys(*known.split())), traits)
    check_groups(groups, list(needs), needs, known.split(), traits.targets)  # type: ignore[arg-type]
    return [list(group.members) for group in groups]


def _fuse_busy(
    needs: dict[ResultKey, list[ResultKey]], seconds: Mapping[str, float], small: str = ""
) -> list[list[str]]:
    """Return the groups of operations on images, beside which there is much other work.

    So the groups may be as long as ever. Only the values of `small` are not images.
    """
    busy = {_key(f"busy{number}"): list[ResultKey]() for number in range(1000)}
    costs = dict.fromkeys(busy, GROUP_SECONDS) | {_key(k): v for k, v in seconds.items()}
    whole = busy | needs
    targets = {*busy, list(needs)[-1]}
    groups = fuse(
        list(whole), whole, (), OperationTraits((), _keys(*small.split()), targets, costs)
    )
    return [list(group.members) for group in groups if group.members[0] not in busy]


def test_a_chain_of_cheap_operations_is_one_task() -> None:
    """Cheap operations that only one other uses go into its task."""
    assert _fuse(_needs(a="", b="a", c="b"), cheap="a b c") == [["a", "b", "c"]]


def test_operations_of_unknown_cost_stay_alone() -> None:
    """Operations without a cost are tasks of their own, also in a chain."""
    assert _fuse(_needs(a="", b="a", c="b")) == [["a"], ["b"], ["c"]]


def test_cheap_ones_join_the_long_one_that_uses_them() -> None:
    """A cheap operation runs inside the task of its only user, however long that takes."""
    assert _fuse(_needs(a="", b="a", c="b"), cheap="a") == [["a", "b"], ["c"]]


def test_a_diamond_of_cheap_operations_is_one_task() -> None:
    """Branches that diverge and join again stay in one task."""
    needs = _needs(a="", b="a", c="a", d="b c")
    assert _fuse(needs, cheap="a b c d") == [["a", "b", "c", "d"]]


def test_a_result_that_several_tasks_use_has_its_own_task() -> None:
    """A cheap operation with users in different tasks is computed once, in its own task."""
    needs = _needs(a="", b="a", c="a", d="b c")
    assert _fuse(needs, cheap="a b c", b=1.0, c=1.0) == [["a"], ["b"], ["c"], ["d"]]


def test_a_target_is_a_task_of_its_own() -> None:
    """A goal is delivered when it is computed, not when its users are."""
    assert _fuse(_needs(a="", b="a"), cheap="a b", targets="a") == [["a"], ["b"]]


def test_operations_of_milliseconds_fuse() -> None:
    """A chain of operations on images is one task as long as that takes no longer than it may."""
    part = GROUP_SECONDS / 4
    needs = _needs(a="", b="a", c="b", d="c", e="d")
    costs = dict.fromkeys("abcde", part)
    assert _fuse_busy(needs, costs) == [["a", "b", "c"], ["d", "e"]]


def test_parts_that_others_use_are_cut_off_first() -> None:
    """What three branches use is a task of its own, and the branches are one, if that fits."""
    part = GROUP_SECONDS / 4
    needs = _needs(shared="", a="shared", b="shared", c="shared", end="a b c")
    costs = {"shared": 2 * part, "a": part, "b": part, "c": part, "end": 0.0}
    assert _fuse_busy(needs, costs) == [["shared"], ["a", "b", "c", "end"]]


def test_the_end_of_a_sweep_takes_no_branch_in() -> None:
    """Where branches do not fit into one task, none waits in it for the others."""
    names = [f"b{number}" for number in range(6)]
    needs = _needs(**dict.fromkeys(names, ""), end=" ".join(names))
    costs = dict.fromkeys(names, GROUP_SECONDS / 2)
    assert _fuse_busy(needs, {**costs, "end": 0.0}) == [[name] for name in (*names, "end")]


def test_a_task_needs_few_images() -> None:
    """Branches that need images of their own are not collected: all would be held at once."""

    def groups(count: int) -> list[list[str]]:
        needs = {_key(f"image{at}"): list[ResultKey]() for at in range(count)}
        needs |= {_key(f"size{at}"): _keys(f"image{at}") for at in range(count)}
        needs[_key("end")] = _keys(*(f"size{at}" for at in range(count)))
        small = " ".join(key for key in needs if key.startswith("size"))
        costs = {str(key): 1.0 if key.startswith("image") else 1e-3 for key in needs}
        return _fuse_busy(needs, costs, small)

    assert len(groups(MAX_IMAGES)[-1]) == MAX_IMAGES + 1
    assert groups(MAX_IMAGES + 1)[-1] == ["end"]


def test_threads_are_kept_busy() -> None:
    """The less there is to do, the shorter the tasks are, down to a limit."""
    count = 400
    names = _keys(*range(count))
    needs = {name: names[at - at % 10 : at] if at % 10 else [] for at, name in enumerate(names)}
    costs = dict.fromkeys(names, MIN_GROUP_SECONDS / 4)
    groups = fuse(names, needs, (), OperationTraits((), (), names[9::10], costs, parallelism=4))
    total = count * MIN_GROUP_SECONDS / 4
    assert len(groups) >= TASKS_PER_THREAD * MIN_PARALLELISM
    assert max(group.seconds for group in groups) <= 1.1 * total / len(groups) + MIN_GROUP_SECONDS


def test_branches_of_a_narrow_plan_stay_parallel() -> None:
    """Two long chains that join are not computed one after the other."""
    needs: dict[ResultKey, list[ResultKey]] = {}
    for side in "ab":
        for number in range(8):
            needs[_key(f"{side}{number}")] = _keys(f"{side}{number - 1}") if number else []
    needs[_key("end")] = _keys("a7", "b7")
    costs = dict.fromkeys(needs, 4e-3)
    groups = fuse(list(needs), needs, (), OperationTraits((), (), _keys("end"), costs))
    most = {
        side: max(sum(key.startswith(side) for key in group.members) for group in groups)
        for side in "ab"
    }
    assert min(most.values()) > 2
    for group in groups:
        sides = {key[0] for key in group.members}
        assert not {"a", "b"} <= sides or len(group.members) <= 6


def test_the_members_of_a_task_are_bounded() -> None:
    """A long chain is split: what is computed again when a worker dies stays small."""
    names = _keys(*range(2 * MAX_MEMBERS))
    needs = {name: names[number - 1 : number] for number, name in enumerate(names)}
    needs[names[0]] = []
    groups = fuse(names, needs, (), OperationTraits(set(names), set(names), ()))
    assert [len(group.members) for group in groups] == [MAX_MEMBERS] * 2


def test_a_wide_layer_is_packed() -> None:
    """Many independent cheap operations become few tasks that export all their results."""
    names = _keys(*range(MAX_MEMBERS + 1))
    groups = fuse(
        names, {name: [] for name in names}, (), OperationTraits(set(names), set(names), names)
    )
    assert [len(group.exports) for group in groups] == [MAX_MEMBERS, 1]


def test_a_layer_of_images_is_not_packed() -> None:
    """Large values would all be held until the last user of the task has run."""
    names = _keys(*range(2 * PACK_FROM))
    groups = fuse(names, {name: [] for name in names}, (), OperationTraits(set(names), (), names))
    assert len(groups) == len(names)


def test_measurements_of_one_image_are_packed() -> None:
    """Goals that are small values of the same image share a task, those of another do not."""
    count = 2 * PACK_IMAGES_FROM
    needs = _needs(x="", y="", **{f"m{at}": "xy"[at % 2] for at in range(count)})
    names = _keys(*(f"m{number}" for number in range(count)))
    costs = dict.fromkeys(names, 1e-4) | dict.fromkeys(_keys("x", "y"), 1.0)
    groups = fuse(list(needs), needs, (), OperationTraits((), set(names), names, costs))
    assert [list(group.members) for group in groups] == [["x"], ["y"], names[::2], names[1::2]]


def test_steps_of_a_task_hold_few_images() -> None:
    """Branches inside of a task run one after the other, whatever the order of the plan."""
    needs = _needs(a1="", b1="", a2="a1", b2="b1", end="a2 b2")
    assert _fuse(needs, cheap="a1 b1 a2 b2 end", images="a1 b1") == [
        ["a1", "a2", "b1", "b2", "end"]
    ]


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


def test_nothing_to_compute_is_no_task() -> None:
    """A plan that is known needs no tasks."""
    assert fuse([], {}, (), OperationTraits((), (), ())) == []


@st.composite
def _graphs(
    draw: st.DrawFn,
) -> tuple[dict[ResultKey, list[ResultKey]], OperationTraits, set[ResultKey]]:
    size = draw(st.integers(1, 120))
    known = set(_keys(*(f"k{number}" for number in range(draw(st.integers(0, 3))))))
    names = _keys(*range(size))
    needs: dict[ResultKey, list[ResultKey]] = {}
    near = draw(st.sampled_from([2, 40]))
    for number, name in enumerate(names):
        below = [*names[max(0, number - near) : number], *sorted(known)]
        needs[name] = draw(st.lists(st.sampled_from(below), max_size=3)) if below else []
    subsets = st.sets(st.sampled_from(names))
    unknown, cheap = draw(subsets), draw(subsets)
    cost = st.sampled_from([1e-5, 1e-3, 0.02, 0.1, 0.4])
    seconds = {name: draw(cost) for name in names if name not in unknown | cheap}
    traits = OperationTraits(
        cheap, draw(subsets), draw(subsets), seconds, draw(st.sampled_from([0, 1, 64]))
    )
    return needs, traits, known


Case = tuple[dict[ResultKey, list[ResultKey]], OperationTraits, set[ResultKey]]


@given(_graphs())
def test_groups_are_a_partition_in_topological_order(case: Case) -> None:
    """Each operation is in one group, after its arguments; what others need is exported."""
    needs, traits, known = case
    groups = fuse(list(needs), needs, known, traits)
    check_groups(groups, list(needs), needs, known, traits.targets)
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


@given(_graphs())
def test_no_way_leads_out_of_a_group_and_back(case: Case) -> None:
    """Groups are convex: a task never waits for another one that waits for it."""
    needs, traits, known = case
    groups = fuse(list(needs), needs, known, traits)
    group_of = {key: at for at, group in enumerate(groups) for key in group.members}
    for key, arguments in needs.items():
        for argument in arguments:
            if argument in group_of:
                assert group_of[argument] <= group_of[key]


@given(_graphs())
def test_fused_tasks_are_short(case: Case) -> None:
    """Only an operation that is long by itself makes a task long; it takes little in."""
    needs, traits, known = case

    def cost(key: ResultKey) -> float:
        return traits.seconds.get(key, 0.0 if key in traits.cheap else float("inf"))

    for group in fuse(list(needs), needs, known, traits):
        costs = sorted(map(cost, group.members))
        if len(costs) > 1:
            assert sum(costs) <= GROUP_SECONDS or sum(costs[:-1]) <= MIN_GROUP_SECONDS


@given(_graphs())
def test_all_but_small_values_are_exported_alone(case: Case) -> None:
    """An image leaves a task only as its single value, so that it is freed by itself."""
    needs, traits, known = case
    for group in fuse(list(needs), needs, known, traits):
        assert len(group.exports) == 1 or set(group.exports) <= set(traits.small)
