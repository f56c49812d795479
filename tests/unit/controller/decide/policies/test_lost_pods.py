"""Pods that should have ended and have not: reported, and after a while not waited for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decide.policies.test_release import ACCESS_DELETION, ENDED, GONE
from tests.unit.controller.decide.policies.test_rerun import asked
from tests.unit.controller.decide.policies.test_suspension import suspended_run
from tests.unit.controller.decision_helpers import (
    child_actions,
    cluster_ready,
)
from tests.unit.controller.observed_builders import later
from voxk8s.controller.decide import conditions
from voxk8s.controller.decide.actions import ChildKind, DeleteChild, RestartRun
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.decide.derive_phase import derive_phase
from voxk8s.controller.observe.observed import Observed, PodView

SAID = "od p on node n1 should have ended at 2026-05-04T12:01:00Z: its node may be lost."


def lost(**changes: Any) -> PodView:
    """Make a runner's pod that should have ended after a minute."""
    values: dict[str, Any] = {"owner": "j", "ready": False, "node": "n1", "deleting": later(60)}
    return build.pod("runner", **values | changes)


def run(*pods: PodView, **changes: Any) -> Observed:
    """Make a run with these pods of its runner."""
    return build.running(pods=(build.pod(), *pods), live_pods=(build.pod(), *pods), **changes)


def said_of_cluster(observed: Observed, seconds: float) -> tuple[str, str]:
    """Return reason and message of ClusterReady."""
    state = derive_phase(observed, later(seconds))
    found = conditions.cluster_ready(observed, state, later(seconds))
    return found.reason, found.message


def replaced(observed: Observed, seconds: float) -> bool:
    """Whether the runner's Job is deleted, so that another one is made."""
    return DeleteChild(ChildKind.RUNNER, "j", "u-j", "its node is lost") in child_actions(
        observed, later(seconds)
    )


def test_runner_on_a_lost_node() -> None:
    """It is reported half a minute after its time, and replaced when its token is refused."""
    observed = run(lost())
    assert said_of_cluster(observed, 80)[0] == "ClusterRunning"
    reason, message = said_of_cluster(observed, 91)
    assert reason == "WorkerLost"
    assert message.startswith(f"P{SAID}")
    assert "until 2026-05-04T12:03:00Z" in message
    assert not replaced(observed, 179)
    assert replaced(observed, 181)


@pytest.mark.parametrize(
    "changes",
    [
        {"pods": (lost(), build.pod("runner", "q", owner="j"))},
        {"pods": (lost(finished=True),)},
        {"pods": (lost(owner="another"),)},
        {"runner": build.job(created=later(61))},
        {"runner": build.job(deleting=True)},
    ],
    ids=["another pod", "ended", "another Job", "a newer Job", "deleted already"],
)
def test_runner_that_is_not_lost(changes: dict[str, Any]) -> None:
    """A Job that has another pod, or waits for none, is kept."""
    pods = changes.pop("pods", (lost(),))
    observed = run(*pods, **changes)
    assert not replaced(observed, 600)
    assert said_of_cluster(observed, 600)[0] != "WorkerLost"


def test_another_run_waits_two_minutes_for_a_lost_pod() -> None:
    """ClusterReady names the pod, its node and the end of the wait; then access goes."""
    observed = asked(live_pods=(lost(),), runner=None, access=build.access())
    assert child_actions(observed, later(179)) == ()
    access = DeleteChild(ChildKind.ACCESS, "a", "u-a", "Retry")
    assert child_actions(observed, later(181)) == (access,)
    reason, message = cluster_ready(observed, later(100))
    assert (reason, SAID in message) == ("Retry", True)
    gone = build.replace(observed, access=None)
    assert not any(isinstance(action, RestartRun) for action in decide(gone, later(179)))
    assert any(isinstance(action, RestartRun) for action in decide(gone, later(181)))


def test_a_suspended_run_waits_two_minutes_for_a_lost_pod() -> None:
    """So a run can be resumed while a node is lost; ClusterReady says what it waits for."""
    observed = suspended_run(live_pods=(lost(),))
    reason, message = cluster_ready(observed, later(100))
    assert (reason, SAID in message) == ("Suspended", True)
    assert child_actions(observed, later(100)) == ()
    (access,) = child_actions(observed, later(181))
    assert isinstance(access, DeleteChild)
    assert access.kind is ChildKind.ACCESS


def test_access_of_a_finished_run_waits_for_all_pods() -> None:
    """Nothing waits for it: a pod that comes back keeps its network policies."""
    observed = build.replace(ENDED, **GONE | {"live_pods": (lost(),)})
    assert ACCESS_DELETION not in child_actions(observed, later(9999))
