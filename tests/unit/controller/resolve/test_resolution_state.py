"""The states of a resolution, and what an attempt may end with."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any, get_args

import pytest

from tests.unit.controller.observed_builders import START
from voxk8s.controller.resolve.resolution_state import (
    Blocked,
    Invalid,
    ResolutionState,
    Resolved,
    ResolveResult,
    Resolving,
    TransientFailure,
    Unresolved,
)

STATES: tuple[Any, ...] = get_args(ResolutionState)
RESULTS: tuple[Any, ...] = get_args(ResolveResult)


def test_a_final_result_is_itself_the_state() -> None:
    """A transient failure is none: the resolver adds when it is retried."""
    assert {*RESULTS} & {*STATES} == {Resolved, Invalid}
    assert {*RESULTS} - {*STATES} == {TransientFailure}


@pytest.mark.parametrize("kind", [kind for kind in (*STATES, *RESULTS) if fields(kind)])
def test_states_cannot_be_changed(kind: Any) -> None:
    """Many reconciliations see the same value."""
    names = [each.name for each in fields(kind)]
    with pytest.raises(FrozenInstanceError):
        setattr(kind(*names), names[0], "other")


def test_a_state_that_stays_is_equal_to_itself() -> None:
    """The status is written only when the state changes."""
    blocked = Blocked("StoreUnreachable", "away", START)
    assert Resolving(blocked) == Resolving(Blocked("StoreUnreachable", "away", START))
    assert Resolving(blocked) != Resolving()
    assert Unresolved() == Unresolved()


def test_a_plan_with_work_left_has_no_final_status() -> None:
    """By default the store was reached, and the runner counts the operations."""
    resolved = Resolved()
    assert (resolved.final_status, resolved.counts, resolved.threads) == (None, None, None)
    assert resolved.store_checked
