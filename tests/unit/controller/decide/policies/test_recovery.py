"""Repairs of what the dask operator leaves behind."""

from __future__ import annotations

from tests.unit.controller import scenes
from tests.unit.controller.decisions import (
    children,
    decided,
)
from tests.unit.controller.scenes import START, later
from voxk8s.controller.decide.actions import (
    Child,
    CreateAccess,
    CreateCluster,
    Delete,
    Resolve,
)
from voxk8s.controller.resolve.resolution import Unresolved


def test_missing_worker_group() -> None:
    """A cluster without its default worker group is deleted, to be made again."""
    observed = scenes.replace(scenes.running(), group=None)
    assert not children(observed, later(10))
    assert [type(a) for a in children(observed, later(15))] == [Delete]


def test_deleted_cluster_is_made_again() -> None:
    """A run whose cluster is gone gets a new one; its runner stays."""
    observed = scenes.replace(
        scenes.running(), cluster=None, group=None, scheduler=None, autoscaler=None, pods=()
    )
    assert children(observed) == (CreateAccess(), CreateCluster(3))
    forgotten = scenes.replace(observed, resolution=Unresolved())
    assert Resolve() in decided(forgotten)
    assert not children(forgotten)


def test_cluster_that_goes_is_not_disturbed() -> None:
    """While a cluster is being deleted nothing is made in its place."""
    going = scenes.cluster(deleting=START)
    assert not children(scenes.replace(scenes.running(), cluster=going, group=None))


def test_leaked_workers() -> None:
    """Pending workers beyond the group's replicas go, the newest first; ready ones stay."""
    workers = (
        scenes.worker("a"),
        scenes.worker("b", available=0, created=later(1)),
        scenes.worker("c", available=0, created=later(2)),
    )
    observed = scenes.replace(scenes.running(), workers=workers, group=scenes.group(2))
    assert not children(observed, later(50))
    assert [a.name for a in children(observed, later(70)) if isinstance(a, Delete)] == ["c"]


def test_operator_restart_leaves_a_run_alone() -> None:
    """A new operator that finds a run under way does not look into its plan."""
    assert decided(scenes.replace(scenes.running(), resolution=Unresolved())) == ()


def test_cluster_with_refused_credentials() -> None:
    """Workers with credentials that a runner was refused are replaced; newer ones stay."""
    ended = scenes.pod("runner", "r0", ready=False, finished=True, refused=later(30))
    observed = scenes.running(pods=(scenes.pod(), ended))
    (first,) = children(observed, later(31))
    assert isinstance(first, Delete)
    assert first.child is Child.AUTOSCALER
    (gone,) = children(scenes.replace(observed, autoscaler=None), later(31))
    assert isinstance(gone, Delete)
    assert gone.child is Child.CLUSTER
    renewed = scenes.replace(observed, cluster=scenes.cluster(created=later(31)))
    assert children(renewed, later(32)) == ()


def test_cluster_waits_for_the_next_runner() -> None:
    """After refused credentials no worker starts before the runner that reads them anew."""
    ended = scenes.pod("runner", "r0", ready=False, finished=True, refused=later(30))
    observed = scenes.running(pods=(ended,), cluster=None, scheduler=None, autoscaler=None)
    assert CreateCluster not in map(type, children(observed, later(31)))
    observed = scenes.replace(observed, pods=(ended, scenes.pod("runner", "r1")))
    assert CreateCluster in map(type, children(observed, later(32)))
