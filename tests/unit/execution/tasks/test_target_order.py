"""The order of targets, and of what tasks need."""

from __future__ import annotations

from voxk8s.execution.tasks.scheduling import depth_first_order
from voxk8s.execution.tasks.target_order import SHARES, longest_first
from voxk8s.execution.tasks.task import TaskKey

Needs = dict[TaskKey, list[TaskKey]]


def _keys(*names: str) -> list[TaskKey]:
    return [TaskKey(name) for name in names]


def test_the_longest_chain_comes_first() -> None:
    """A target that would hold up the end of the run starts first."""
    names = [f"short{number}" for number in range(4 * SHARES)]
    needs = {name: list[str]() for name in names} | {"a": [], "long": ["a"]}
    seconds = dict.fromkeys(names, 0.1) | {"a": 4.0, "long": 4.0}
    assert longest_first([*names, "long"], needs, seconds)[0] == ["long", *names]


def test_similar_targets_keep_their_order() -> None:
    """Goals of one case stay together: otherwise the images of all cases would be held."""
    needs = {name: list[str]() for name in "abcd"}
    seconds = {"a": 1.0, "b": 1.1, "c": 1.2, "d": 1.05}
    assert longest_first(list("abcd"), needs, seconds) == (list("abcd"), needs)
    assert longest_first(["a"], needs, seconds) == (["a"], needs)


def test_the_longest_chain_below_the_only_target_comes_first() -> None:
    """It starts before the many short ones, at whatever depth it is one of them."""
    names = [f"short{number}" for number in range(4 * SHARES)]
    needs = {name: list[str]() for name in names} | {"a": [], "long": ["a"]}
    needs |= {"all": [*names, "long"], "best": [names[0], "all"]}
    seconds = dict.fromkeys(needs, 0.1) | {"a": 4.0, "long": 4.0}
    targets, ordered = longest_first(["best"], needs, seconds)
    assert targets == ["best"]
    assert ordered["all"] == ["long", *names]
    assert ordered["best"] == ["all", names[0]]


def test_needs_of_similar_length_keep_their_order() -> None:
    """Those that earlier calls have scheduled take no time any more."""
    needs = {"a": list[str](), "b": [], "c": [], "best": ["earlier", "a", "b", "c"]}
    seconds = {"a": 1.0, "b": 1.3, "c": 1.2, "best": 0.1}
    assert longest_first(["best"], needs, seconds)[1]["best"] == ["a", "b", "c", "earlier"]


def _held(needs: Needs, seconds: dict[TaskKey, float], target: TaskKey) -> int:
    """Return how many values wait for their last use at a time, one thread working."""
    targets, ordered = longest_first([target], needs, seconds)
    waiting: set[TaskKey] = set()
    most = 0
    for key in depth_first_order(ordered, targets):
        waiting.add(key)
        most = max(most, len(waiting))
        waiting -= set(needs[key])  # each value is used once
    return most


def _comb(length: int) -> tuple[Needs, TaskKey]:
    """Return steps that each need a leaf and the step before."""
    needs: Needs = {}
    last = TaskKey("start")
    needs[last] = []
    for number in range(length):
        leaf, step = _keys(f"leaf{number}", f"step{number}")
        needs[leaf] = []
        needs[step] = [leaf, last]
        last = step
    return needs, last


def test_a_fold_holds_few_values() -> None:
    """The steps are the longest chain: hardly a leaf waits for those before it."""
    needs, last = _comb(500)
    assert _held(needs, dict.fromkeys(needs, 1.0), last) <= SHARES + 2


def test_few_values_wait_for_what_comes_after_long_chains() -> None:
    """Leaves that take longer than all steps below them come first only if they count."""
    needs, last = _comb(200)
    for step, below in needs.items():
        if below:
            needs[step] = below[::-1]
    seconds = dict.fromkeys(needs, 1e-9)
    seconds |= {key: 2.1 ** int(key[4:]) for key in needs if key.startswith("leaf")}
    assert _held(needs, seconds, last) <= 8
