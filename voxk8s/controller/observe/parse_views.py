"""Parses Kubernetes objects, as JSON data, into views. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec

from voxk8s import constants
from voxk8s.cluster import tls
from voxk8s.controller.observe import observed, pod_problems

Json: TypeAlias = Mapping[str, Any]

CLUSTER_LABEL = "dask.org/cluster-name"
DASK_COMPONENT_LABEL = "dask.org/component"
JOB_LABEL = "batch.kubernetes.io/job-name"


def workplan_label(body: Json) -> str:
    """Return the label that names an object's WorkPlan; empty if there is none."""
    return str((body["metadata"].get("labels") or {}).get(constants.LABEL_WORKPLAN, ""))


def cluster(body: Json) -> observed.ClusterView:
    """Parse a DaskCluster."""
    metadata = body["metadata"]
    return observed.ClusterView(
        name=metadata["name"],
        owner=_owner(body),
        created=_time(metadata["creationTimestamp"]),
        uid=metadata["uid"],
        workers=int(body["spec"].get("worker", {}).get("replicas", 1)),
        deleting=_deleting(body),
        failed=(body.get("status") or {}).get("phase") == "Error",
        handled=bool((body.get("status") or {}).get("phase") or metadata.get("finalizers")),
        unowned=_is_managed(body) and not metadata.get("ownerReferences"),
        keys=_keys((body["spec"].get("worker") or {}).get("spec") or {}),
        groups=_groups(metadata),
    )


def worker_group(body: Json) -> observed.WorkerGroupView:
    """Parse a DaskWorkerGroup."""
    metadata, spec = body["metadata"], body["spec"]
    return observed.WorkerGroupView(
        name=metadata["name"],
        cluster=str(spec.get("cluster", "")),
        replicas=int(spec.get("worker", {}).get("replicas", 0)),
        created=_time(metadata["creationTimestamp"]),
        uid=metadata["uid"],
        managed=_is_managed(body),
        group=_group(metadata),
    )


def autoscaler(body: Json) -> observed.AutoscalerView:
    """Parse a DaskAutoscaler."""
    spec = body["spec"]
    return observed.AutoscalerView(
        name=body["metadata"]["name"],
        cluster=str(spec.get("cluster", "")),
        minimum=int(spec.get("minimum", 0)),
        maximum=int(spec.get("maximum", 0)),
        uid=body["metadata"]["uid"],
        deleting=_deleting(body),
        finalizers=tuple(body["metadata"].get("finalizers") or ()),
    )


def deployment(body: Json) -> observed.DeploymentView:
    """Parse the Deployment of a scheduler or worker."""
    metadata, status = body["metadata"], body.get("status") or {}
    labels = metadata.get("labels") or {}
    problems = tuple(
        observed.Problem(
            constants.REASON_POD_REJECTED,
            f"Pods of Deployment {metadata['name']} are rejected: {condition.get('message', '')}",
        )
        for condition in status.get("conditions") or ()
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True"
    )
    return observed.DeploymentView(
        name=metadata["name"],
        component=labels.get(DASK_COMPONENT_LABEL, ""),
        cluster=labels.get(CLUSTER_LABEL, ""),
        created=_time(metadata["creationTimestamp"]),
        available=int(status.get("availableReplicas") or 0),
        deleting=_deleting(body) is not None,
        problems=problems,
        uid=metadata["uid"],
        group=_group(metadata),
    )


def access(body: Json) -> observed.AccessView:
    """Parse the ServiceAccount of a runner."""
    return observed.AccessView(
        name=body["metadata"]["name"],
        uid=body["metadata"]["uid"],
        owner=_owner(body),
        deleting=_deleting(body) is not None,
    )


def job(body: Json) -> observed.JobView:
    """Parse the runner's Job."""
    metadata, status = body["metadata"], body.get("status") or {}
    conditions = {
        condition["type"]: condition
        for condition in status.get("conditions") or ()
        if condition["status"] == "True"
    }
    end = conditions.get("Complete") or conditions.get("Failed")
    attempts = sum(int(status.get(count) or 0) for count in ("failed", "succeeded", "active"))
    return observed.JobView(
        name=metadata["name"],
        uid=metadata["uid"],
        owner=_owner(body),
        created=_time(metadata["creationTimestamp"]),
        cluster=_scheduler_cluster(body),
        attempts=attempts,
        complete="Complete" in conditions or "SuccessCriteriaMet" in conditions,
        failed="Failed" in conditions,
        message=str(conditions.get("Failed", {}).get("message", "")),
        ended=_time(end["lastTransitionTime"]) if end else None,
        deleting=_deleting(body) is not None,
        suspended=bool(body["spec"].get("suspend")),
        unowned=_is_managed(body) and not metadata.get("ownerReferences"),
    )


def pod(body: Json) -> observed.PodView:
    """Parse a pod of a run."""
    metadata, status = body["metadata"], body.get("status") or {}
    labels = metadata.get("labels") or {}
    ready = any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in status.get("conditions") or ()
    )
    return observed.PodView(
        name=metadata["name"],
        uid=metadata["uid"],
        component=labels.get(constants.LABEL_COMPONENT, ""),
        owner=labels.get(CLUSTER_LABEL) or labels.get(JOB_LABEL, ""),
        node=str(body["spec"].get("nodeName") or ""),
        ready=ready and _deleting(body) is None,
        deleting=_deleting(body),
        finished=status.get("phase") in ("Succeeded", "Failed"),
        problems=tuple(pod_problems.pod_problems(body)),
        termination_message=pod_problems.termination_message(status),
        group=_group(metadata),
        credentials_rejected_at=pod_problems.credentials_rejected_at(status),
    )


def failed_create(body: Json) -> observed.FailedCreateView:
    """Parse the FailedCreate event of a Job."""
    job_uid = body["involvedObject"].get("uid", "")
    return observed.FailedCreateView(
        job_uid, str(body.get("message") or "").removeprefix("Error creating: ")
    )


def cluster_error(body: Json) -> observed.ClusterErrorView:
    """Parse an event of the dask operator: of a traceback the last line counts."""
    lines = [line for line in str(body.get("message") or "").splitlines() if line.strip()]
    return observed.ClusterErrorView(
        body["involvedObject"].get("uid", ""),
        lines[-1].strip() if lines else "",
        str(body.get("lastTimestamp") or body["metadata"].get("creationTimestamp", "")),
    )


def involved_object_name(body: Json) -> str:
    """Return the name of the object that an event is about."""
    return str(body["involvedObject"].get("name", ""))


def _scheduler_cluster(job: Json) -> str:
    """Return the DaskCluster whose scheduler the runner connects to; empty if there is none."""
    containers = job["spec"]["template"]["spec"].get("containers") or ()
    for container in containers:
        for variable in container.get("env") or ():
            if variable["name"] == constants.ENV_SCHEDULER_ADDRESS:
                host = urlsplit(str(variable.get("value", ""))).hostname or ""
                return host.partition(".")[0].removesuffix("-scheduler")
    return ""


def _group(metadata: Json) -> str:
    return str((metadata.get("labels") or {}).get(constants.LABEL_WORKER_GROUP, ""))


def _groups(metadata: Json) -> dict[str, int]:
    """Return the workers of the groups that a DaskCluster is to have; none if it does not say."""
    text = (metadata.get("annotations") or {}).get(constants.ANNOTATION_WORKER_GROUPS, "{}")
    try:
        return msgspec.json.decode(text, type=dict[str, int])
    except msgspec.MsgspecError:
        return {}


def _keys(pod: Json) -> str:
    """Return the Secret with the keys for TLS of a pod; empty if it has none."""
    volumes = (each for each in pod.get("volumes") or () if each["name"] == tls.VOLUME)
    return next((str(each["secret"]["secretName"]) for each in volumes), "")


def _is_managed(body: Json) -> bool:
    """Whether the operator created an object, and not someone else with the same label."""
    labels = body["metadata"].get("labels") or {}
    return bool(labels.get(constants.LABEL_MANAGED_BY) == constants.MANAGER_OPERATOR)


def _owner(body: Json) -> str:
    """Return the uid of the WorkPlan that owns an object; empty if there is none."""
    for reference in body["metadata"].get("ownerReferences") or ():
        if reference["kind"] == constants.KIND:
            return str(reference["uid"])
    return ""


def _deleting(body: Json) -> datetime | None:
    stamp = body["metadata"].get("deletionTimestamp")
    return _time(stamp) if stamp else None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
