"""Scheduling policies: found by name, and checked."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.constants import ENTRY_POINT_SCHEDULING
from voxk8s.errors import InvalidUsage
from voxk8s.execution import ExecutionEngine
from voxk8s.execution.executors.dask_graph import annotations_for
from voxk8s.execution.tasks.fusion import FusionGroup, OperationTraits
from voxk8s.execution.tasks.scheduling import (
    DefaultPolicy,
    Placement,
    Schedule,
    check_groups,
    find_policy,
)
from voxk8s.execution.tasks.task import TaskKey
from voxk8s.plan import ResultKey
from voxk8s.storage import open_store

A, B, C, K = (ResultKey(name) for name in "abck")
ORDER = [A, B, C]
ARGUMENTS = {A: (K,), B: (A,), C: (A, B)}


class Mine(DefaultPolicy):
    """A policy of somebody else."""


def test_a_policy_of_a_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point names it; the name works for an engine, by argument and by environment."""
    entry = metadata.EntryPoint("mine", f"{__name__}:Mine", ENTRY_POINT_SCHEDULING)

    def entry_points(group: str, name: str = "mine") -> Any:
        return [entry] if (group, name) == (ENTRY_POINT_SCHEDULING, "mine") else []

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    assert isinstance(find_policy("mine"), Mine)
    store = open_store("memory://")
    assert isinstance(ExecutionEngine(store, scheduling="mine")._config.scheduling, Mine)
    monkeypatch.setenv("VOXK8S_SCHEDULING", "mine")
    assert isinstance(ExecutionEngine(store)._config.scheduling, Mine)


def test_an_unknown_policy_is_told() -> None:
    """The message names those that there are."""
    with pytest.raises(InvalidUsage, match="no scheduling policy 'yours'; there are default"):
        find_policy("yours")


def test_what_is_no_policy_is_told() -> None:
    """An object without its methods is refused when the engine is made."""
    thing: Any = object()
    with pytest.raises(InvalidUsage, match="is no scheduling policy"):
        ExecutionEngine(open_store("memory://"), scheduling=thing)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([FusionGroup([A], [A], [K]), FusionGroup([B], [B])], "c is in no group"),
        (
            [FusionGroup([A, B], [B], [K]), FusionGroup([C], [C])],
            "a is used by c before it is there",
        ),
        (
            [FusionGroup([A], [A], [K]), FusionGroup([C], [C]), FusionGroup([B], [B])],
            "b is used by c before",
        ),
        ([FusionGroup([B, A, C], [C], [K])], "a is used by b before"),
        ([FusionGroup([A, B, C], [C])], "k is used by a before it is there"),
        ([FusionGroup([A, B, C], [B], [K])], "c is a target and not exported"),
        (
            [FusionGroup([A, B, C], [C, A], [K]), FusionGroup([A], [A], [K])],
            "a is a member of two groups",
        ),
    ],
)
def test_groups_that_would_lose_something_are_refused(
    groups: list[FusionGroup], message: str
) -> None:
    """A policy that leaves out, repeats, comes too early or exports too little is told so."""
    with pytest.raises(InvalidUsage, match=message):
        check_groups(groups, ORDER, ARGUMENTS, [K], [C])


@given(st.data())
def test_the_default_policy_passes(data: st.DataObject) -> None:
    """Whatever is cheap, small, known or wanted."""
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


def test_a_schedule_becomes_annotations() -> None:
    """Ranks are priorities, the smallest highest; tasks that are not placed may run anywhere."""
    place = Placement(("w1",), {"GPU": 1.0}, elsewhere=True)
    told: Any = annotations_for(
        {}, {}, [], Schedule({TaskKey("a"): 0, TaskKey("b"): 5}, {TaskKey("a"): place})
    )
    assert [told["priority"](key) for key in "ab"] == [0, -5]
    assert [told["workers"](key) for key in "ab"] == [("w1",), ()]
    assert [told["resources"](key) for key in "ab"] == [{"GPU": 1.0}, {}]
    assert [told["allow_other_workers"](key) for key in "ab"] == [True, False]
