"""From Kubernetes objects as JSON data to what decisions need of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from voxk8s import constants
from voxk8s.constants import (
    LABEL_COMPONENT,
    LABEL_MANAGED_BY,
    LABEL_WORKPLAN,
    MANAGER_OPERATOR,
)
from voxk8s.controller.observe.observed import (
    AutoscalerView,
    ClusterView,
    DeploymentView,
    FailedCreateView,
    JobView,
    PodView,
    Problem,
    WorkerGroupView,
)

Json: TypeAlias = Mapping[str, Any]

CLUSTER_LABEL = "dask.org/cluster-name"
DASK_COMPONENT_LABEL = "dask.org/component"
JOB_LABEL = "batch.kubernetes.io/job-name"

_PULL_REASONS = frozenset(
    {
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "ErrImageNeverPull",
        "RegistryUnavailable",
    }
)
_CONFIG_REASONS = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)


def workplan_label(thing: Json) -> str:
    """Give the WorkPlan that an object belongs to, as its label has it; empty if none."""
    return str((thing["metadata"].get("labels") or {}).get(LABEL_WORKPLAN, ""))


def cluster_view(thing: Json) -> ClusterView:
    """Read a DaskCluster."""
    metadata = thing["metadata"]
    return ClusterView(
        name=metadata["name"],
        owner=_owner(thing),
        created=_time(metadata["creationTimestamp"]),
        uid=metadata["uid"],
        workers=int(thing["spec"].get("worker", {}).get("replicas", 1)),
        deleting=_deleting(thing),
        failed=(thing.get("status") or {}).get("phase") == "Error",
        secret=_secret((thing["spec"].get("worker") or {}).get("spec") or {}),
    )


def worker_group_view(thing: Json) -> WorkerGroupView:
    """Read a DaskWorkerGroup."""
    metadata, spec = thing["metadata"], thing["spec"]
    return WorkerGroupView(
        name=metadata["name"],
        cluster=str(spec.get("cluster", "")),
        replicas=int(spec.get("worker", {}).get("replicas", 0)),
        created=_time(metadata["creationTimestamp"]),
        uid=metadata["uid"],
        managed=(metadata.get("labels") or {}).get(LABEL_MANAGED_BY) == MANAGER_OPERATOR,
    )


def autoscaler_view(thing: Json) -> AutoscalerView:
    """Read a DaskAutoscaler."""
    spec = thing["spec"]
    return AutoscalerView(
        name=thing["metadata"]["name"],
        cluster=str(spec.get("cluster", "")),
        minimum=int(spec.get("minimum", 0)),
        maximum=int(spec.get("maximum", 0)),
        uid=thing["metadata"]["uid"],
        deleting=_deleting(thing),
        finalizers=tuple(thing["metadata"].get("finalizers") or ()),
    )


def deployment_view(thing: Json) -> DeploymentView:
    """Read the Deployment of a scheduler or worker."""
    metadata, status = thing["metadata"], thing.get("status") or {}
    labels = metadata.get("labels") or {}
    problems = tuple(
        Problem(constants.REASON_POD_REJECTED, f"Pods are refused: {condition.get('message', '')}")
        for condition in status.get("conditions") or ()
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True"
    )
    return DeploymentView(
        name=metadata["name"],
        component=labels.get(DASK_COMPONENT_LABEL, ""),
        cluster=labels.get(CLUSTER_LABEL, ""),
        created=_time(metadata["creationTimestamp"]),
        available=int(status.get("availableReplicas") or 0),
        deleting=_deleting(thing) is not None,
        problems=problems,
    )


def job_view(thing: Json) -> JobView:
    """Read the runner's Job."""
    metadata, status = thing["metadata"], thing.get("status") or {}
    conditions = {
        condition["type"]: condition
        for condition in status.get("conditions") or ()
        if condition["status"] == "True"
    }
    end = conditions.get("Complete") or conditions.get("Failed")
    failed, succeeded = int(status.get("failed") or 0), int(status.get("succeeded") or 0)
    active = int(status.get("active") or 0)
    return JobView(
        name=metadata["name"],
        uid=metadata["uid"],
        owner=_owner(thing),
        created=_time(metadata["creationTimestamp"]),
        cluster=_cluster_of_job(thing),
        secret=_secret(thing["spec"]["template"]["spec"]),
        attempts=failed + succeeded + active,
        active=active,
        complete="Complete" in conditions or "SuccessCriteriaMet" in conditions,
        failed="Failed" in conditions,
        message=str(conditions.get("Failed", {}).get("message", "")),
        ended=_time(end["lastTransitionTime"]) if end else None,
        deleting=_deleting(thing) is not None,
    )


def pod_view(thing: Json) -> PodView:
    """Read a pod of a run."""
    metadata, status = thing["metadata"], thing.get("status") or {}
    labels = metadata.get("labels") or {}
    ready = any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in status.get("conditions") or ()
    )
    return PodView(
        name=metadata["name"],
        uid=metadata["uid"],
        component=labels.get(LABEL_COMPONENT, ""),
        owner=labels.get(CLUSTER_LABEL) or labels.get(JOB_LABEL, ""),
        ready=ready and _deleting(thing) is None,
        deleting=_deleting(thing) is not None,
        finished=status.get("phase") in ("Succeeded", "Failed"),
        problems=tuple(_pod_problems(thing)),
        termination_message=_termination_message(status),
        credentials_rejected_at=_refused(status),
    )


def failed_create_view(thing: Json) -> FailedCreateView:
    """Read the event of a Job that gets no pod."""
    job = thing["involvedObject"].get("uid", "")
    return FailedCreateView(job, str(thing.get("message") or "").removeprefix("Error creating: "))


def involved_name(thing: Json) -> str:
    """Give the name of the object that an event is about."""
    return str(thing["involvedObject"].get("name", ""))


def _pod_problems(pod: Json) -> Iterator[Problem]:
    status = pod.get("status") or {}
    name = pod["metadata"]["name"]
    for condition in status.get("conditions") or ():
        if condition.get("reason") == "Unschedulable" and condition["status"] == "False":
            yield Problem(
                constants.REASON_UNSCHEDULABLE,
                f"No node can take pod {name}: {condition.get('message', '')}",
            )
    if status.get("phase") == "Failed" and status.get("reason"):
        yield Problem(
            constants.REASON_WORKER_LOST,
            f"Pod {name} was ended: {status['reason']}: {status.get('message', '')}",
        )
    limits = {
        container["name"]: ((container.get("resources") or {}).get("limits") or {}).get("memory")
        for container in pod["spec"].get("containers") or ()
    }
    for container in status.get("containerStatuses") or ():
        yield from _container_problems(pod, container, limits.get(container["name"]))


def _container_problems(whole: Json, container: Json, limit: object) -> Iterator[Problem]:
    pod = whole["metadata"]["name"]
    waiting = (container.get("state") or {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _PULL_REASONS:
        yield Problem(
            constants.REASON_IMAGE_PULL_FAILED,
            f"Image {container.get('image', '')} of pod {pod} cannot be pulled: {message}",
        )
    elif reason in _CONFIG_REASONS:
        yield Problem(constants.REASON_POD_REJECTED, f"Pod {pod} cannot start: {reason}: {message}")
    ends = [
        (container.get(place) or {}).get("terminated") or {} for place in ("state", "lastState")
    ]
    if any(end.get("reason") == "OOMKilled" for end in ends):
        yield Problem(
            constants.REASON_OUT_OF_MEMORY,
            f"Pod {pod} was killed for memory: {_too_low(whole, limit)}",
        )
    elif reason == "CrashLoopBackOff":
        end = ends[1]
        yield Problem(
            constants.REASON_WORKER_LOST,
            f"Pod {pod} keeps failing: exit code {end.get('exitCode')}"
            f" {str(end.get('message') or '').strip()[-500:]}".rstrip(),
        )


def _too_low(pod: Json, limit: object) -> str:
    component = (pod["metadata"].get("labels") or {}).get(LABEL_COMPONENT, "")
    place = f"spec.cluster.{component}.resources.limits.memory"
    cause = f"its limit of {limit} is" if limit else "what its node has left is"
    remedy = f"Raise {place}, or lower spec.cluster.threadsPerWorker."
    if component == "worker":
        return f"{cause} too low for what it computes. {remedy}"
    return f"{cause} too low for a plan of this size. Raise {place}."


def _termination_message(status: Json) -> str:
    """Give what a container that ended left as its termination message."""
    for container in status.get("containerStatuses") or ():
        for place in ("state", "lastState"):
            end = (container.get(place) or {}).get("terminated")
            if end:
                words = str(end.get("message") or end.get("reason") or "").strip()
                return f"exit code {end.get('exitCode')}: {words[-1000:]}"
    return ""


def _refused(status: Json) -> datetime | None:
    """Give the time at which a runner ended for want of the right credentials."""
    for container in status.get("containerStatuses") or ():
        end = (container.get("state") or {}).get("terminated") or {}
        if end.get("exitCode") == constants.EXIT_CREDENTIALS and end.get("finishedAt"):
            return _time(end["finishedAt"])
    return None


def _cluster_of_job(job: Json) -> str:
    """Give the DaskCluster whose scheduler the runner is told to use."""
    containers = job["spec"]["template"]["spec"].get("containers") or ()
    for container in containers:
        for variable in container.get("env") or ():
            if variable["name"] == constants.ENV_SCHEDULER_ADDRESS:
                host = urlsplit(str(variable.get("value", ""))).hostname or ""
                return host.partition(".")[0].removesuffix("-scheduler")
    return ""


def _secret(pod: Json) -> str:
    """Give the Secret that a pod's containers have the store's credentials from."""
    for container in pod.get("containers") or ():
        for variable in container.get("env") or ():
            reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
            if reference and variable["name"] == constants.ENV_S3_KEY:
                return str(reference["name"])
    return ""


def _owner(thing: Json) -> str:
    for reference in thing["metadata"].get("ownerReferences") or ():
        if reference["kind"] == constants.KIND:
            return str(reference["uid"])
    return ""


def _deleting(thing: Json) -> datetime | None:
    stamp = thing["metadata"].get("deletionTimestamp")
    return _time(stamp) if stamp else None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
