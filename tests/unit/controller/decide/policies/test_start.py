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
from voxk8s.cluster.placement import Placement
from voxk8s.controller.decide.actions import (
    ApplyAutoscaler,
    CreateAccess,
    CreateCluster,
    CreateRunner,
    CreateWorkerGroup,
)
from voxk8s.controller.observe.observed import Observed, WorkerGroupView
from voxk8s.controller.resolve.resolution_state import Unresolved


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


def _with_groups(**groups: int) -> Observed:
    observed = build.with_operator_status(build.applied())
    return build.replace(observed, resolution=dataclasses.replace(WORK_LEFT, groups=groups))


def test_worker_groups_come_with_their_cluster() -> None:
    """The cluster remembers which it is to have; those that it has not are created, once."""
    observed = _with_groups(gpu=2, spot=1)
    assert CreateCluster(3, {"gpu": 2, "spot": 1}) in child_actions(observed)
    gpu = WorkerGroupView("c-gpu", "c", 2, group="gpu")
    cluster = build.cluster(groups={"gpu": 2, "spot": 1})
    running = build.running(cluster=cluster, worker_groups=(gpu,))
    assert child_actions(running) == (CreateWorkerGroup("spot", 1),)
    both = (gpu, WorkerGroupView("c-spot", "c", 1, group="spot"))
    assert child_actions(build.replace(running, worker_groups=both)) == ()
    going = build.replace(running, cluster=build.cluster(groups={"spot": 1}, deleting=build.START))
    assert not [each for each in child_actions(going) if isinstance(each, CreateWorkerGroup)]


def test_a_restarted_operator_needs_no_look_up_to_create_a_group() -> None:
    """What a crash between cluster and group left out follows from the cluster alone."""
    running = build.running(cluster=build.cluster(groups={"gpu": 1}), resolution=Unresolved())
    assert child_actions(running) == (CreateWorkerGroup("gpu", 1),)


def test_kueue_may_admit_fewer_workers_of_a_group() -> None:
    """Those of other pod sets are not its own."""
    observed = build.replace(
        _with_groups(gpu=4, spot=2), placements={"worker-gpu": Placement(count=3)}
    )
    assert CreateCluster(3, {"gpu": 3, "spot": 2}) in child_actions(observed)
