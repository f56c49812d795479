"""Runs whose pods have no room."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import WORK_LEFT, later
from voxk8s import constants
from voxk8s.controller.decide.actions import ChildKind, DeleteChild, ForgetPlan, ResolvePlan
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.decide.policies import room
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Unresolved

_PROBLEM = build.problem(constants.REASON_UNSCHEDULABLE)
_FULL = build.pod(ready=False, problems=(_PROBLEM,))
_RUNNER = build.pod("runner", "r")


def _starts(**changes: object) -> Observed:
    found = build.applied(cluster=build.cluster(), runner=build.job(), resolution=WORK_LEFT)
    return build.replace(found, **{"pods": (_FULL, _RUNNER), **changes})


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({}, True),
        ({"pods": (), "scheduler": build.scheduler(problems=(_PROBLEM,))}, True),
        ({"pods": (build.pod(ready=False), _RUNNER)}, False),
        ({"pods": (_FULL, build.pod(name="q"), _RUNNER)}, False),
        ({"cluster": None}, False),
        ({"cluster": build.cluster(deleting=later(1))}, False),
        ({"queue": "team"}, False),
    ],
)
def test_who_lacks_room(changes: dict[str, object], lacks: bool) -> None:
    """A run with a pod that fits on no node, before its runner and a worker are ready."""
    patience = timedelta(seconds=15)
    assert room.lacks_room(_starts(**changes), later(15), patience) == lacks
    assert not room.lacks_room(_starts(**changes), later(14), patience)


@pytest.mark.parametrize("group", ["gpu", "big"])
def test_a_run_without_a_worker_of_a_group_lacks_room(group: str) -> None:
    """Unless it computes: else two runs would keep the worker that the other one needs."""
    ready = (build.pod(), build.pod(name="g", group="gpu"), _RUNNER)
    full = build.pod(name="b", group=group, ready=False, problems=(_PROBLEM,))
    found = _starts(cluster=build.cluster(groups={"gpu": 1, group: 1}), pods=(*ready, full))
    patience = timedelta(seconds=15)
    assert room.lacks_room(found, later(15), patience) == (group == "big")
    computes = build.with_status(found, build.running().workplan.status)
    assert not room.lacks_room(computes, later(15), patience)


def test_what_was_computed_is_no_reason_to_stop() -> None:
    """A run that has lost its workers keeps its place."""
    found = build.replace(build.running(), pods=(_FULL, _RUNNER))
    assert found.computes
    assert not room.lacks_room(found, later(100), timedelta(seconds=15))


def test_pods_of_a_run_that_gives_way_are_deleted() -> None:
    """The status says why first; then the run waits as one that was never started."""
    found = build.with_operator_status(_starts(autoscaler=build.autoscaler()), later(1))
    found = build.replace(found, gives_way=True, queued="No room.")
    state = build.with_operator_status(found, later(20))
    assert (state.workplan.status.phase, state.workplan.status.reason) == ("Queued", "NoRoom")
    assert decide(state, later(20))[:3] == (
        ForgetPlan(),
        DeleteChild(ChildKind.AUTOSCALER, "c", "u-c", "NoRoom"),
        DeleteChild(ChildKind.RUNNER, "j", "u-j", "NoRoom"),
    )
    gone = build.replace(
        state, gives_way=False, cluster=None, runner=None, autoscaler=None, pods=()
    )
    waits = build.replace(gone, resolution=Unresolved(), queued="Waits for room.")
    assert build.with_operator_status(waits, later(30)).workplan.status.reason == "Queued"
    turn = build.replace(gone, resolution=Unresolved(), queued="")
    assert ResolvePlan() in decide(turn, later(30)), "also if its turn has come by then"
    started = build.with_operator_status(build.replace(turn, resolution=WORK_LEFT), later(31))
    assert started.workplan.status.phase == "Starting"
