"""From the informers to one observation."""

from __future__ import annotations

from typing import Any

import pytest

from voxk8s.cluster.child_names import label_value
from voxk8s.cluster.policy import Violation
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observe import observe
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Invalid, Unresolved
from voxk8s.controller.work_queue import ObjectKey

NAME = "a-name-of-more-than-sixty-three-characters-as-kubernetes-allows-for-objects"


class ScriptedState:
    """A cluster state with one WorkPlan, and the keys that it enqueued."""

    def __init__(self, name: str = "wp") -> None:
        self.enqueued: list[ObjectKey] = []
        self.state = ClusterState(self.enqueued.append, lambda _: None)
        self.name = name
        self.version = 0
        self.plan = {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            **self.meta(name, uid="u-1", generation=1),
            "spec": {"source": {"plan": {"nodes": [{"big": "x"}], "goals": []}}},
        }
        self.state.workplans.upsert(self.plan)
        self.enqueued.clear()

    def meta(self, name: str, owner: str = "u-1", **more: Any) -> dict[str, Any]:
        """Make metadata of a child of the WorkPlan."""
        self.version += 1
        labels = {"voxk8s.io/workplan": label_value(self.name), **more.pop("labels", {})}
        return {
            "metadata": {
                "name": name,
                "namespace": "ns",
                "uid": f"u-{name}",
                "resourceVersion": str(self.version),
                "creationTimestamp": "2026-05-04T12:00:00Z",
                "labels": labels,
                "ownerReferences": [
                    {
                        "apiVersion": "voxk8s.io/v1alpha1",
                        "kind": "WorkPlan",
                        "name": "wp",
                        "uid": owner,
                    }
                ],
                **more,
            }
        }

    def cluster(self, name: str, **more: Any) -> None:
        """Add a DaskCluster."""
        body = {**self.meta(name, **more), "spec": {"worker": {"replicas": 2}}}
        self.state.clusters.upsert(body)

    def pod(self, name: str, cluster: str) -> None:
        """Add a worker pod."""
        labels = {"dask.org/cluster-name": cluster, "app.kubernetes.io/component": "worker"}
        self.state.pods.upsert(
            {**self.meta(name, labels=labels), "spec": {}, "status": {"phase": "Running"}}
        )

    def deployment(self, name: str, cluster: str, component: str) -> None:
        """Add a Deployment."""
        labels = {"dask.org/cluster-name": cluster, "dask.org/component": component}
        self.state.deployments.upsert(
            {**self.meta(name, labels=labels), "status": {"availableReplicas": 1}}
        )

    def job(self, name: str, **more: Any) -> None:
        """Add a runner's Job."""
        template: dict[str, Any] = {"template": {"spec": {"containers": []}}}
        self.state.jobs.upsert({**self.meta(name, **more), "spec": template})

    def observe(self, *not_allowed: Violation) -> Observed:
        """Observe the WorkPlan."""
        workplan = self.state.workplans.get("ns", self.name)
        assert workplan is not None
        return observe(workplan, self.state, Unresolved(), not_allowed=not_allowed)


@pytest.fixture
def cluster() -> ScriptedState:
    """A WorkPlan without children."""
    return ScriptedState()


def test_without_children(cluster: ScriptedState) -> None:
    """A WorkPlan without children is observed without any."""
    found = cluster.observe()
    assert (found.cluster, found.runner, found.pods, found.dashboard) == (None, None, (), None)


def test_children_of_the_cluster(cluster: ScriptedState) -> None:
    """Scheduler, workers and pods belong to the cluster that their label names."""
    cluster.cluster("c")
    cluster.deployment("c-scheduler", "c", "scheduler")
    cluster.deployment("c-w1", "c", "worker")
    cluster.deployment("old-w1", "old", "worker")
    cluster.pod("p", "c")
    cluster.pod("q", "old")
    found = cluster.observe()
    assert found.cluster is not None
    assert (found.cluster.name, found.cluster.workers) == ("c", 2)
    assert found.scheduler is not None
    assert [worker.name for worker in found.workers] == ["c-w1"]
    assert [pod.name for pod in found.pods] == ["p"]
    assert found.dashboard == "http://c-scheduler.ns.svc.cluster.local:8787/status"


def test_children_of_an_earlier_workplan(cluster: ScriptedState) -> None:
    """Children of an earlier WorkPlan of the same name are ignored."""
    cluster.cluster("c", owner="u-0")
    cluster.job("old", owner="u-0")
    assert (cluster.observe().cluster, cluster.observe().runner) == (None, None)
    cluster.job("new")
    found = cluster.observe().runner
    assert found is not None
    assert found.name == "new"


def test_cluster_beside_a_deleted_one(cluster: ScriptedState) -> None:
    """A new cluster is preferred to one that is being deleted."""
    cluster.cluster("a", deletionTimestamp="2026-05-04T12:01:00Z")
    assert cluster.observe().cluster is not None
    cluster.cluster("b")
    found = cluster.observe()
    assert found.cluster is not None
    assert found.cluster.name == "b"
    assert [cluster.name for cluster in found.extra_clusters] == ["a"]


@pytest.mark.parametrize("name", ["wp", NAME])
def test_children_enqueue_their_workplan(name: str) -> None:
    """A change of a child enqueues its WorkPlan, even if the label is truncated."""
    cluster = ScriptedState(name)
    cluster.cluster("c")
    assert cluster.enqueued == [ObjectKey("ns", name)]
    assert cluster.observe().cluster is not None


def refusal(job: str, uid: str) -> dict[str, Any]:
    """Make the FailedCreate event of a Job."""
    return {
        "metadata": {"namespace": "ns", "name": f"{job}.1"},
        "involvedObject": {"kind": "Job", "name": job, "uid": uid},
        "message": "Error creating: pods is forbidden: exceeded quota: q",
    }


def test_rejected_pod_of_the_runner(cluster: ScriptedState) -> None:
    """The event of the runner's Job enqueues its WorkPlan and has the API server's message."""
    cluster.job("j")
    cluster.enqueued.clear()
    cluster.state.failed_creates.upsert(refusal("j", "u-j"))
    assert cluster.enqueued == [ObjectKey("ns", "wp")]
    assert cluster.observe().runner_pod_error == "pods is forbidden: exceeded quota: q"


def test_events_of_other_jobs(cluster: ScriptedState) -> None:
    """Events of other Jobs, or of an earlier Job of the same name, are ignored."""
    cluster.job("j")
    cluster.enqueued.clear()
    cluster.state.failed_creates.upsert(refusal("other", "u-other"))
    cluster.state.failed_creates.upsert(refusal("j", "u-older"))
    assert cluster.observe().runner_pod_error == ""
    assert ObjectKey("ns", "wp") in cluster.enqueued


def test_what_is_not_listed_yet(cluster: ScriptedState) -> None:
    """An observation says that children which are absent may exist."""
    assert "not listed yet" in cluster.observe().sync_error
    for informer in cluster.state.informers:
        informer.follow([None])
        informer._scopes[None].synced = True
    assert cluster.observe().sync_error == ""


def test_what_the_policy_refuses_ends_no_run_with_children(cluster: ScriptedState) -> None:
    """A WorkPlan that asks for too much is invalid, unless it started before the rule."""
    refused = Violation("spec.cluster.image", "images", "the image x is not allowed")
    assert cluster.observe(refused).resolution == Invalid("NotAllowed", str(refused))
    cluster.cluster("c")
    assert cluster.observe(refused).resolution == Unresolved()


def test_last_error_of_the_dask_operator(cluster: ScriptedState) -> None:
    """What it could not do is taken from its latest event about this very cluster."""
    body = {**cluster.meta("c"), "spec": {}, "status": {"phase": "Created"}}
    cluster.state.clusters.upsert(body)
    cluster.enqueued.clear()
    for place, (uid, message) in enumerate(
        [("u-c", "first"), ("u-older", "not this one"), ("u-c", "exceeded quota")]
    ):
        cluster.state.cluster_errors.upsert(
            {
                "metadata": {"namespace": "ns", "name": f"e{place}"},
                "involvedObject": {"kind": "DaskCluster", "name": "c", "uid": uid},
                "message": message,
                "lastTimestamp": f"2026-05-04T12:00:0{place}Z",
            }
        )
    observed = cluster.observe()
    assert observed.cluster_error == "exceeded quota"
    assert observed.cluster is not None
    assert observed.cluster.handled
    assert ObjectKey("ns", "wp") in cluster.enqueued


def test_last_error_of_a_worker_group(cluster: ScriptedState) -> None:
    """Workers are made for their group: that they cannot be is said of it, not of the cluster."""
    cluster.cluster("c")
    groups: list[tuple[str, dict[str, str]]] = [
        ("c-default", {}), ("c-gpu", {"voxk8s.io/worker-group": "gpu"}),
    ]  # fmt: skip
    for name, labels in groups:
        body = {**cluster.meta(name, labels=labels), "spec": {"cluster": "c"}}
        cluster.state.worker_groups.upsert(body)
    cluster.enqueued.clear()
    cluster.state.cluster_errors.upsert(
        {
            "metadata": {"namespace": "ns", "name": "e"},
            "involvedObject": {"kind": "DaskWorkerGroup", "name": "c-gpu", "uid": "u-c-gpu"},
            "message": "Deployment is invalid",
        }
    )
    observed = cluster.observe()
    assert [group.error for group in observed.worker_groups] == ["Deployment is invalid"]
    assert observed.worker_group is not None
    assert (observed.worker_group.error, observed.cluster_error) == ("", "")
    assert ObjectKey("ns", "wp") in cluster.enqueued
