"""What the status of a pod says about its problems and its end. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from voxk8s import constants
from voxk8s.controller.observe.observed import Problem

Json: TypeAlias = Mapping[str, Any]

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


def pod_problems(pod: Json) -> Iterator[Problem]:
    """Yield the problems of a pod and of its containers."""
    status = pod.get("status") or {}
    name = pod["metadata"]["name"]
    for condition in status.get("conditions") or ():
        if condition.get("reason") == "Unschedulable" and condition["status"] == "False":
            yield Problem(
                constants.REASON_UNSCHEDULABLE,
                f"Pod {name} cannot be scheduled: {condition.get('message', '')}",
            )
    if status.get("phase") == "Failed" and status.get("reason"):
        yield Problem(
            constants.REASON_WORKER_LOST,
            f"Pod {name} was terminated: {status['reason']}: {status.get('message', '')}",
        )
    limits = {
        container["name"]: ((container.get("resources") or {}).get("limits") or {}).get("memory")
        for container in pod["spec"].get("containers") or ()
    }
    for container in status.get("containerStatuses") or ():
        yield from _container_problems(pod, container, limits.get(container["name"]))


def termination_message(status: Json) -> str:
    """Return exit code and termination message of the first container that ended; else empty."""
    for container in status.get("containerStatuses") or ():
        for field in ("state", "lastState"):
            end = (container.get(field) or {}).get("terminated")
            if end:
                message = str(end.get("message") or end.get("reason") or "").strip()
                return f"exit code {end.get('exitCode')}: {message[-1000:]}"
    return ""


def credentials_rejected_at(status: Json) -> datetime | None:
    """Return when a runner exited because the store rejected its credentials, or None."""
    for container in status.get("containerStatuses") or ():
        end = (container.get("state") or {}).get("terminated") or {}
        if end.get("exitCode") == constants.EXIT_CREDENTIALS and end.get("finishedAt"):
            return datetime.fromisoformat(end["finishedAt"])
    return None


def _container_problems(pod: Json, container: Json, limit: object) -> Iterator[Problem]:
    name = pod["metadata"]["name"]
    waiting = (container.get("state") or {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _PULL_REASONS:
        yield Problem(
            constants.REASON_IMAGE_PULL_FAILED,
            f"Image {container.get('image', '')} of pod {name} cannot be pulled: {message}",
        )
    elif reason in _CONFIG_REASONS:
        yield Problem(
            constants.REASON_POD_REJECTED, f"Pod {name} cannot start: {reason}: {message}"
        )
    ends = [
        (container.get(field) or {}).get("terminated") or {} for field in ("state", "lastState")
    ]
    if any(end.get("reason") == "OOMKilled" for end in ends):
        yield Problem(
            constants.REASON_OUT_OF_MEMORY,
            f"Pod {name} was killed because it ran out of memory: {_memory_advice(pod, limit)}",
        )
    elif reason == "CrashLoopBackOff":
        end = ends[1]
        yield Problem(
            constants.REASON_WORKER_LOST,
            f"Pod {name} keeps crashing: exit code {end.get('exitCode')}"
            f" {str(end.get('message') or '').strip()[-500:]}".rstrip(),
        )


def _memory_advice(pod: Json, limit: object) -> str:
    labels = pod["metadata"].get("labels") or {}
    component = labels.get(constants.LABEL_COMPONENT, "")
    group = labels.get(constants.LABEL_WORKER_GROUP, "")
    field = f"spec.cluster.workerGroups[{group}]" if group else "spec.cluster"
    setting = f"{field}.{component}.resources.limits.memory"
    cause = f"its limit of {limit} is" if limit else "the free memory of its node is"
    if component == "worker":
        return (
            f"{cause} too low for its operations. Raise {setting}, or lower"
            f" {field}.threadsPerWorker."
        )
    return f"{cause} too low for a plan of this size. Raise {setting}."
