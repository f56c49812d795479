"""The children that a run needs."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import (
    child_actions,
    states,
    written_status,
)
from tests.unit.controller.observed_builders import WORK_LEFT
from voxk8s.controller.decide.actions import (
    ApplyAutoscaler,
    CreateAccess,
    CreateCluster,
    CreateRunner,
)


def test_children_of_a_new_run() -> None:
    """Cluster and runner are created together; the autoscaler after the scheduler."""
    observed = build.replace(build.with_operator_status(build.applied()), resolution=WORK_LEFT)
    assert child_actions(observed) == (CreateAccess(), CreateCluster(3), CreateRunner())
    assert states(written_status(observed))["ClusterReady"] == ("Unknown", "ClusterStarting")


@pytest.mark.parametrize(
    ("threads", "limits", "workers"),
    [
        pytest.param(10, {}, 3, id="threads over threads of a worker"),
        pytest.param(1000, {}, 8, id="no more than allowed"),
        pytest.param(1, {}, 1, id="one after the other"),
        pytest.param(0, {}, 1, id="at least one"),
        pytest.param(None, {}, 1, id="not known"),
        pytest.param(1, {"minWorkers": 4}, 4, id="at least the minimum"),
        pytest.param(9, {"threadsPerWorker": 1}, 8, id="one thread each"),
    ],
)
def test_initial_workers(threads: int | None, limits: dict[str, int], workers: int) -> None:
    """The initial workers fit what is left to compute, within the limits of the spec."""
    plan = build.workplan({"cluster": limits})
    observed = build.with_operator_status(build.applied(workplan=plan))
    observed = build.replace(observed, resolution=dataclasses.replace(WORK_LEFT, threads=threads))
    assert CreateCluster(workers) in child_actions(observed)


def test_autoscaler_comes_with_the_scheduler() -> None:
    """The autoscaler is created with the scheduler, and keeps the initial workers at first."""
    observed = build.replace(build.running(), autoscaler=None)
    idle = build.with_status(
        observed, msgspec.structs.replace(observed.workplan.status, operations=None)
    )
    waiting = build.replace(idle, scheduler=build.scheduler(available=0))
    assert not child_actions(waiting)
    assert child_actions(idle) == (ApplyAutoscaler(3, 8),)
    assert child_actions(observed) == (ApplyAutoscaler(0, 8),)
    assert not child_actions(build.running())
