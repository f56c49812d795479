"""The actions that `decide` may return."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any, get_args

import pytest

from voxk8s.controller.decide.actions import (
    Action,
    ChildKind,
    CreateCluster,
    DeleteChild,
    ForgetPlan,
    RequeueAfter,
    ResolvePlan,
)

KINDS: tuple[Any, ...] = get_args(Action)


@pytest.mark.parametrize("kind", KINDS)
def test_actions_are_values(kind: Any) -> None:
    """Two decisions are compared by what they would do."""
    arguments = [number for number, _ in enumerate(fields(kind))]
    action = kind(*arguments)
    assert action == kind(*arguments)
    assert all(
        action != kind(*arguments[:place], "other", *arguments[place + 1 :]) for place in arguments
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if fields(kind)])
def test_actions_cannot_be_changed(kind: Any) -> None:
    """What was decided is what is carried out."""
    names = [each.name for each in fields(kind)]
    with pytest.raises(FrozenInstanceError):
        setattr(kind(*names), names[0], "other")


def test_actions_of_different_kinds_differ() -> None:
    """Although they have the same fields."""
    actions: list[Action] = [RequeueAfter(3), CreateCluster(3), ResolvePlan(), ForgetPlan()]
    assert [actions.index(action) for action in actions] == [0, 1, 2, 3]


def test_children_have_the_kinds_of_kubernetes() -> None:
    """The name of the kind is in the message of a deletion."""
    action = DeleteChild(ChildKind.RUNNER, "a-runner", "u-a-runner", "Succeeded")
    assert f"{action.kind} {action.name}" == "Job a-runner"
    assert [str(kind) for kind in ChildKind] == [
        "DaskCluster",
        "DaskAutoscaler",
        "Job",
        "Deployment",
        "ServiceAccount",
        "Workload",
    ]
