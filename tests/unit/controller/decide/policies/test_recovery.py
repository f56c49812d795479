"""Repairs after failures of the dask operator."""

from __future__ import annotations

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import (
    child_actions,
    decided_actions,
)
from tests.unit.controller.observed_builders import START, later
from voxk8s.controller.decide.actions import (
    ChildKind,
    CreateAccess,
    CreateCluster,
    DeleteChild,
    ResolvePlan,
)
from voxk8s.controller.resolve.resolution_state import Unresolved


def test_missing_worker_group() -> None:
    """A cluster without its default worker group is deleted, to be recreated."""
    observed = build.replace(build.running(), worker_group=None)
    assert not child_actions(observed, later(10))
    assert [type(a) for a in child_actions(observed, later(15))] == [DeleteChild]


def test_deleted_cluster_is_recreated() -> None:
    """A run whose cluster is gone gets a new one; its runner is kept."""
    observed = build.replace(
        build.running(), cluster=None, worker_group=None, scheduler=None, autoscaler=None, pods=()
    )
    assert child_actions(observed) == (CreateAccess(), CreateCluster(3))
    stuck_autoscalers = build.replace(observed, resolution=Unresolved())
    assert ResolvePlan() in decided_actions(stuck_autoscalers)
    assert not child_actions(stuck_autoscalers)


def test_cluster_that_is_being_deleted() -> None:
    """While a cluster is being deleted no other one is created."""
    going = build.cluster(deleting=START)
    assert not child_actions(build.replace(build.running(), cluster=going, worker_group=None))


def test_leaked_workers() -> None:
    """Pending workers beyond the group's replicas are deleted, newest first; ready ones stay."""
    workers = (
        build.worker("a"),
        build.worker("b", available=0, created=later(1)),
        build.worker("c", available=0, created=later(2)),
    )
    observed = build.replace(build.running(), workers=workers, worker_group=build.worker_group(2))
    assert not child_actions(observed, later(50))
    assert [a.name for a in child_actions(observed, later(70)) if isinstance(a, DeleteChild)] == [
        "c"
    ]


def test_workers_of_other_groups_are_not_beyond_the_default_one() -> None:
    """A GPU worker that waits for a node may wait."""
    waiting = build.worker("gpu", available=0, created=later(1), group="gpu")
    observed = build.running(workers=(build.worker(), waiting), worker_group=build.worker_group(1))
    assert not child_actions(observed, later(90))


def test_restarted_operator() -> None:
    """A restarted operator does not resolve the plan of a run that has all its children."""
    assert decided_actions(build.replace(build.running(), resolution=Unresolved())) == ()


def test_cluster_with_rejected_credentials() -> None:
    """A cluster older than a runner's rejected credentials is replaced; a newer one is kept."""
    ended = build.pod("runner", "r0", ready=False, finished=True, credentials_rejected_at=later(30))
    observed = build.running(pods=(build.pod(), ended))
    (first,) = child_actions(observed, later(31))
    assert isinstance(first, DeleteChild)
    assert first.kind is ChildKind.AUTOSCALER
    (gone,) = child_actions(build.replace(observed, autoscaler=None), later(31))
    assert isinstance(gone, DeleteChild)
    assert gone.kind is ChildKind.CLUSTER
    renewed = build.replace(observed, cluster=build.cluster(created=later(31)))
    assert child_actions(renewed, later(32)) == ()


def test_cluster_waits_for_the_next_runner() -> None:
    """After rejected credentials no cluster is created before the next runner is ready."""
    ended = build.pod("runner", "r0", ready=False, finished=True, credentials_rejected_at=later(30))
    observed = build.running(pods=(ended,), cluster=None, scheduler=None, autoscaler=None)
    assert CreateCluster not in map(type, child_actions(observed, later(31)))
    observed = build.replace(observed, pods=(ended, build.pod("runner", "r1")))
    assert CreateCluster in map(type, child_actions(observed, later(32)))
