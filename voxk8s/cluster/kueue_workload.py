"""Manifest of the Workload of a run, by which Kueue counts its pods against a queue's quota.

Kueue decides by requests and by what places pods; nothing else of their templates is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from voxk8s import constants
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.placement import component_of_group
from voxk8s.cluster.pod_template import Manifest, owned_object
from voxk8s.cluster.resources import (
    PRIORITY_CLASSES,
    WORKLOAD_PRIORITY_CLASSES,
    WORKLOADS,
    ApiResource,
)

COMPONENTS: Final = ("scheduler", "runner", "worker")
"""The components of a run, which are the names of its pod sets."""
_PLACING = (
    "nodeSelector",
    "tolerations",
    "affinity",
    "topologySpreadConstraints",
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
)


@dataclass(frozen=True, slots=True)
class QueuePriority:
    """The priority of a Workload in its queue, and the class that determines it if one does."""

    value: int
    kind: ApiResource | None = None
    name: str = ""


def priority_class(workplan: WorkPlanResource, pod: Manifest) -> tuple[ApiResource, str] | None:
    """Return the class that determines a Workload's priority, or None.

    It is the one that the WorkPlan's label names, else that of its workers' pods.
    """
    label = workplan.metadata.labels.get(constants.LABEL_QUEUE_PRIORITY)
    if label:
        return WORKLOAD_PRIORITY_CLASSES, label
    name = pod.get("priorityClassName")
    return (PRIORITY_CLASSES, name) if name else None


def build_workload(
    workplan: WorkPlanResource,
    version: str,
    cluster: Manifest,
    runner: Manifest,
    *,
    queue: str,
    priority: QueuePriority,
    workers: int,
    minimum: int,
    groups: Mapping[str, tuple[int, Manifest]] = MappingProxyType({}),
) -> Manifest:
    """Build the Workload of a run from the manifests of its DaskCluster and of its runner's Job.

    It asks for `workers` workers and may be admitted with any number down to `minimum`. `groups`
    are the workers of each other group, and the spec of their pods: all of them are needed, since
    Kueue admits fewer of one pod set at most.
    """
    labels = child_names.child_labels(workplan, "workload", version)
    head = owned_object(
        workplan,
        WORKLOADS,
        f"{child_names.child_name(workplan)}-quota",
        labels | {constants.LABEL_QUEUE_OWNER: workplan.metadata.uid},
    )
    pods = {
        "scheduler": cluster["spec"]["scheduler"]["spec"],
        "runner": runner["spec"]["template"]["spec"],
        "worker": cluster["spec"]["worker"]["spec"],
    }
    sets: list[Manifest] = [
        {
            "name": name,
            "count": workers if name == "worker" else 1,
            "template": {"spec": _counted(pods[name])},
        }
        for name in COMPONENTS
    ]
    if minimum < workers:
        sets[-1]["minCount"] = minimum  # of the default workers
    sets += [
        {
            "name": component_of_group(name),
            "count": count,
            "template": {"spec": _counted(pod)},
        }
        for name, (count, pod) in groups.items()
    ]
    spec: Manifest = {"queueName": queue, "podSets": sets, "priority": priority.value}
    if priority.kind is not None:
        spec["priorityClassRef"] = {
            "group": priority.kind.group,
            "kind": priority.kind.kind,
            "name": priority.name,
        }
    return head | {"spec": spec}


def _counted(pod: Manifest) -> dict[str, Any]:
    """Return the parts of a pod's spec that quota and placement depend on."""
    containers = [
        {name: each[name] for name in ("name", "image", "resources") if name in each}
        for each in pod["containers"]
    ]
    placing = {name: pod[name] for name in _PLACING if name in pod}
    return {"restartPolicy": "Never", "containers": containers, **placing}
