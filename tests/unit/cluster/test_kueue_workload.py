"""The Workload of a run; the golden manifests have it whole."""

from __future__ import annotations

import msgspec

from tests.support.example_runs import GOLDEN, SHAPED, only, work_plan
from voxk8s.cluster.kueue_workload import priority_class
from voxk8s.cluster.resources import PRIORITY_CLASSES, WORKLOAD_PRIORITY_CLASSES
from voxk8s.constants import LABEL_QUEUE_PRIORITY


def test_pod_sets_have_what_quota_depends_on() -> None:
    """Requests and placement of each component as its pods have them, and nothing secret."""
    workload, cluster = only(GOLDEN["shaped"], "Workload"), only(GOLDEN["shaped"], "DaskCluster")
    sets = {each["name"]: each for each in workload["spec"]["podSets"]}
    assert {name: each["count"] for name, each in sets.items()} == {
        "scheduler": 1, "runner": 1, "worker": 4,
    }  # fmt: skip
    assert [each.get("minCount") for each in sets.values()] == [None, None, 1]
    pod, counted = cluster["spec"]["worker"]["spec"], sets["worker"]["template"]["spec"]
    for field in ("nodeSelector", "tolerations", "affinity", "runtimeClassName"):
        assert counted[field] == pod[field]
    assert counted["containers"][0]["resources"] == pod["containers"][0]["resources"]
    assert "env" not in counted["containers"][0]


def test_the_class_of_the_label_comes_first() -> None:
    """Else that of the workers' pods; without one the number of the WorkPlan counts."""
    pod = {"priorityClassName": "low"}
    assert priority_class(work_plan(), {}) is None
    assert priority_class(SHAPED, pod) == (PRIORITY_CLASSES, "low")
    labelled = msgspec.structs.replace(SHAPED.metadata, labels={LABEL_QUEUE_PRIORITY: "urgent"})
    resource = msgspec.structs.replace(SHAPED, metadata=labelled)
    assert priority_class(resource, pod) == (WORKLOAD_PRIORITY_CLASSES, "urgent")
