"""Scheduling policies: found by name, and their groups checked."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.peak_values import peak_values
from voxk8s.constants import ENTRY_POINT_SCHEDULING
from voxk8s.errors import InvalidUsage
from voxk8s.execution import ExecutionEngine
from voxk8s.execution.tasks.fusion import FusionGroup, OperationTraits
from voxk8s.execution.tasks.scheduling import (
    DefaultPolicy,
    check_groups,
    depth_first_order,
    find_policy,
)
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.plan import ResultKey
from voxk8s.storage import open_store

A, B, C, K = (ResultKey(name) for name in "abck")
ORDER = [A, B, C]
ARGUMENTS = {A: (K,), B: (A,), C: (A, B)}


class PackagePolicy(DefaultPolicy):
    """A policy of an installed package."""


def test_a_policy_of_a_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine finds the policy of an entry point by its argument and by the environment."""
    entry = metadata.EntryPoint("mine", f"{__name__}:PackagePolicy", ENTRY_POINT_SCHEDULING)

    def entry_points(group: str, name: str = "mine") -> Any:
        return [entry] if (group, name) == (ENTRY_POINT_SCHEDULING, "mine") else []

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    assert isinstance(find_policy("mine"), PackagePolicy)
    store = open_store("memory://")
    assert isinstance(ExecutionEngine(store, scheduling="mine")._config.scheduling, PackagePolicy)
    monkeypatch.setenv("VOXK8S_SCHEDULING", "mine")
    assert isinstance(ExecutionEngine(store)._config.scheduling, PackagePolicy)


def test_an_unknown_policy_is_refused() -> None:
    """The message lists the policies that exist."""
    with pytest.raises(InvalidUsage, match="policy 'yours': must be one of default"):
        find_policy("yours")


def test_an_object_without_the_methods_is_refused() -> None:
    """An object that does not implement the protocol is refused when the engine is created."""
    thing: Any = object()
    with pytest.raises(InvalidUsage, match="expected a scheduling policy"):
        ExecutionEngine(open_store("memory://"), scheduling=thing)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([FusionGroup([A], [A], [K]), FusionGroup([B], [B])], "c is not in any group"),
        (
            [FusionGroup([A, B], [B], [K]), FusionGroup([C], [C])],
            "a is used by c before it is computed",
        ),
        (
            [FusionGroup([A], [A], [K]), FusionGroup([C], [C]), FusionGroup([B], [B])],
            "b is used by c before",
        ),
        ([FusionGroup([B, A, C], [C], [K])], "a is used by b before"),
        ([FusionGroup([A, B, C], [C])], "k is used by a before it is computed"),
        ([FusionGroup([A, B, C], [B], [K])], "c is a target and not exported"),
        (
            [FusionGroup([A, B, C], [C, A], [K]), FusionGroup([A], [A], [K])],
            "a is a member of two groups",
        ),
    ],
)
def test_invalid_groups_are_refused(groups: list[FusionGroup], message: str) -> None:
    """The message says what was omitted, repeated, used too early or not exported."""
    with pytest.raises(InvalidUsage, match=message):
        check_groups(groups, ORDER, ARGUMENTS, [K], [C])


@given(st.data())
def test_groups_of_the_default_policy_are_valid(data: st.DataObject) -> None:
    """For any cheap, small and known operations and any targets."""
    keys = [ResultKey(f"{number:02}") for number in range(data.draw(st.integers(1, 40)))]
    arguments = {
        key: tuple(data.draw(st.sets(st.sampled_from(keys[:place]), max_size=3))) if place else ()
        for place, key in enumerate(keys)
    }
    split = data.draw(st.integers(0, len(keys) - 1))
    known, order = set(keys[:split]), keys[split:]
    cheap = data.draw(st.sets(st.sampled_from(order)))
    small = data.draw(st.sets(st.sampled_from(order)))
    targets = data.draw(st.sets(st.sampled_from(order))) | {order[-1]}
    needed = {argument for key in order for argument in arguments[key]} & known
    used = {argument for key in order for argument in arguments[key]}
    targets |= {key for key in order if key not in used}
    groups = DefaultPolicy().fuse(order, arguments, needed, OperationTraits(cheap, small, targets))
    check_groups(groups, order, arguments, needed, targets)


Needs = dict[TaskKey, list[TaskKey]]


def _needs(names: dict[str, list[str]]) -> Needs:
    return {TaskKey(name): [TaskKey(each) for each in below] for name, below in names.items()}


def _sweep(branches: int) -> tuple[Needs, list[TaskKey]]:
    """Return branches over an image and a mask; each has three goals that share its values."""
    needs: dict[str, list[str]] = {"image": [], "base": ["image"]}
    goals = []
    for n in range(branches):
        needs |= {
            f"a{n}": ["image"],
            f"b{n}": [f"a{n}"],
            f"c{n}": [f"b{n}"],
            f"d{n}": [f"c{n}", "base"],
            f"e{n}": [f"d{n}", f"a{n}"],
            f"f{n}": [f"e{n}"],
            f"g{n}": [f"e{n}"],
            f"h{n}": [f"g{n}"],
            f"i{n}": [f"a{n}", f"b{n}"],
            f"j{n}": [f"i{n}"],
        }
        goals += [TaskKey(f"f{n}"), TaskKey(f"h{n}"), TaskKey(f"j{n}")]
    return _needs(needs), goals


@pytest.mark.parametrize("branches", [2, 40])
def test_branches_of_a_sweep_run_one_after_the_other(branches: int) -> None:
    """Only the values of one branch are held at a time, however many branches there are."""
    needs, goals = _sweep(branches)
    order = depth_first_order(needs, goals)
    assert set(order) == set(needs)
    assert peak_values(needs, order) <= 6
    assert max(order.index(TaskKey(f"{step}0")) for step in "abcdefghij") < order.index(
        TaskKey("a1")
    )


def test_goals_that_alternate_between_images_run_image_after_image() -> None:
    """One image is held at a time, and what all of them use."""
    names: dict[str, list[str]] = {name: [] for name in ("mask", *(f"image{n}" for n in range(8)))}
    goals = [f"g{place}" for place in range(40)]
    names |= {goal: ["mask", f"image{place % 8}"] for place, goal in enumerate(goals)}
    needs = _needs(names)
    assert peak_values(needs, depth_first_order(needs, [TaskKey(goal) for goal in goals])) == 2
