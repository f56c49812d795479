"""From the caches to one observation."""

from __future__ import annotations

from typing import Any

import pytest

from voxk8s.cluster.child_names import label_value
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observe import observe
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.observe.workplan_codec import decode_workplan
from voxk8s.controller.resolve.resolution_state import Invalid, Unresolved
from voxk8s.controller.work_queue import ObjectKey

NAME = "a-name-of-more-than-sixty-three-characters-as-kubernetes-allows-for-objects"


class Scene:
    """A cluster state with one WorkPlan, and whom it wakes."""

    def __init__(self, name: str = "wp") -> None:
        self.woken: list[ObjectKey] = []
        self.state = ClusterState(self.woken.append, lambda _: None)
        self.name = name
        self.version = 0
        self.plan = {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            **self.meta(name, uid="u-1", generation=1),
            "spec": {"source": {"plan": {"nodes": [{"big": "x"}], "goals": []}}},
        }
        self.state.workplans.upsert(self.plan)
        self.woken.clear()

    def meta(self, name: str, owner: str = "u-1", **more: Any) -> dict[str, Any]:
        """Make metadata as the children of the WorkPlan have it."""
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
        """A DaskCluster is there."""
        thing = {**self.meta(name, **more), "spec": {"worker": {"replicas": 2}}}
        self.state.clusters.upsert(thing)

    def pod(self, name: str, cluster: str) -> None:
        """A worker pod is there."""
        labels = {"dask.org/cluster-name": cluster, "app.kubernetes.io/component": "worker"}
        self.state.pods.upsert(
            {**self.meta(name, labels=labels), "spec": {}, "status": {"phase": "Running"}}
        )

    def deployment(self, name: str, cluster: str, component: str) -> None:
        """A Deployment is there."""
        labels = {"dask.org/cluster-name": cluster, "dask.org/component": component}
        self.state.deployments.upsert(
            {**self.meta(name, labels=labels), "status": {"availableReplicas": 1}}
        )

    def job(self, name: str, **more: Any) -> None:
        """A runner's Job is there."""
        template: dict[str, Any] = {"template": {"spec": {"containers": []}}}
        self.state.jobs.upsert({**self.meta(name, **more), "spec": template})

    def observe(self) -> Observed:
        """Observe the WorkPlan."""
        workplan = self.state.workplans.get("ns", self.name)
        assert workplan is not None
        return observe(workplan, self.state, Unresolved())


@pytest.fixture
def scene() -> Scene:
    """A WorkPlan without children."""
    return Scene()


def test_nothing_yet(scene: Scene) -> None:
    """A WorkPlan without children has none."""
    found = scene.observe()
    assert (found.cluster, found.runner, found.pods, found.dashboard) == (None, None, (), None)


def test_children_are_sorted_out(scene: Scene) -> None:
    """Scheduler, workers and pods belong to the cluster whose label they have."""
    scene.cluster("c")
    scene.deployment("c-scheduler", "c", "scheduler")
    scene.deployment("c-w1", "c", "worker")
    scene.deployment("old-w1", "old", "worker")
    scene.pod("p", "c")
    scene.pod("q", "old")
    found = scene.observe()
    assert found.cluster is not None
    assert (found.cluster.name, found.cluster.workers) == ("c", 2)
    assert found.scheduler is not None
    assert [worker.name for worker in found.workers] == ["c-w1"]
    assert [pod.name for pod in found.pods] == ["p"]
    assert found.dashboard == "http://c-scheduler.ns.svc.cluster.local:8787/status"


def test_children_of_a_predecessor_do_not_count(scene: Scene) -> None:
    """What an older WorkPlan of the same name left behind is not this one's."""
    scene.cluster("c", owner="u-0")
    scene.job("old", owner="u-0")
    assert (scene.observe().cluster, scene.observe().runner) == (None, None)
    scene.job("new")
    found = scene.observe().runner
    assert found is not None
    assert found.name == "new"


def test_the_cluster_that_stays_is_the_one(scene: Scene) -> None:
    """Beside a cluster that is being deleted the new one counts, whatever its name."""
    scene.cluster("a", deletionTimestamp="2026-05-04T12:01:00Z")
    assert scene.observe().cluster is not None
    scene.cluster("b")
    found = scene.observe()
    assert found.cluster is not None
    assert found.cluster.name == "b"
    assert [cluster.name for cluster in found.extra_clusters] == ["a"]


@pytest.mark.parametrize("name", ["wp", NAME])
def test_children_wake_their_workplan(name: str) -> None:
    """A change of a child is told to its WorkPlan, also where the label had to be cut."""
    scene = Scene(name)
    scene.cluster("c")
    assert scene.woken == [ObjectKey("ns", name)]
    assert scene.observe().cluster is not None


def test_plans_are_not_kept_in_memory(scene: Scene) -> None:
    """The cache keeps a WorkPlan without its plan."""
    kept = decode_workplan(scene.plan)
    assert kept.spec.source.plan == {}
    program = {**scene.plan, "spec": {"source": {"program": "x" * 1000}}}
    assert decode_workplan(program).spec.source.program == ""


def refusal(job: str, uid: str) -> dict[str, Any]:
    """Make the event of a Job that gets no pod."""
    return {
        "metadata": {"namespace": "ns", "name": f"{job}.1"},
        "involvedObject": {"kind": "Job", "name": job, "uid": uid},
        "message": "Error creating: pods is forbidden: exceeded quota: q",
    }


def test_refused_pod_of_the_runner_is_told_in_words(scene: Scene) -> None:
    """The event of the runner's Job wakes its WorkPlan, and says what the API server said."""
    scene.job("j")
    scene.woken.clear()
    scene.state.failed_creates.upsert(refusal("j", "u-j"))
    assert scene.woken == [ObjectKey("ns", "wp")]
    assert scene.observe().runner_pod_error == "pods is forbidden: exceeded quota: q"


def test_refusals_of_other_jobs_do_not_count(scene: Scene) -> None:
    """Events of somebody's Job, or of one of the same name that is gone, are not the runner's."""
    scene.job("j")
    scene.woken.clear()
    scene.state.failed_creates.upsert(refusal("other", "u-other"))
    scene.state.failed_creates.upsert(refusal("j", "u-older"))
    assert scene.observe().runner_pod_error == ""
    assert ObjectKey("ns", "wp") in scene.woken


def test_workplan_that_cannot_be_read_is_invalid(scene: Scene) -> None:
    """A spec of another version's CRD ends in a condition with the path, not in silence."""
    spec = {"source": {"program": ""}, "cluster": {"maxWorkers": "many"}}
    scene.state.workplans.upsert({**scene.plan, "spec": spec})
    found = scene.observe().resolution
    assert isinstance(found, Invalid)
    assert found.reason == "InvalidPlan"
    assert "$.spec.cluster.maxWorkers" in found.message


def test_status_that_cannot_be_read_is_read_in_part(scene: Scene) -> None:
    """What another version wrote into a status takes nothing from what is known."""
    status = {"phase": "Failed", "operations": {"total": "many"}}
    kept = decode_workplan({**scene.plan, "status": status})
    assert (kept.status.phase, kept.status.operations) == ("Failed", None)
