"""Problems and ends of pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controller.observe.kube_objects import CREATED, component, of_group, pod
from voxk8s.controller.observe.pod_problems import (
    credentials_rejected_at,
    pod_problems,
    termination_message,
)


@pytest.mark.parametrize(
    ("body", "reason", "parts"),
    [
        pytest.param(
            pod({"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no route"}}}),
            "ImagePullFailed", ["img:1", "no route"], id="image",
        ),
        pytest.param(
            pod({"state": {"waiting": {"reason": "ErrImagePull", "message": "x"}}}),
            "ImagePullFailed", ["img:1"], id="first try of an image",
        ),
        pytest.param(
            pod({"state": {"running": {}}, "lastState": {"terminated": {"reason": "OOMKilled"}}}),
            "OutOfMemory", ["600Mi", "spec.cluster.worker.resources.limits.memory", "threadsPer"],
            id="killed before",
        ),
        pytest.param(
            of_group("gpu", pod({"state": {"terminated": {"reason": "OOMKilled"}}})),
            "OutOfMemory",
            ["600Mi", "Raise spec.cluster.workerGroups[gpu].worker.resources.limits.memory, or",
             "spec.cluster.workerGroups[gpu].threadsPerWorker."],
            id="killed worker of a group",
        ),
        pytest.param(
            pod({"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}),
            "OutOfMemory", ["600Mi"], id="killed now",
        ),
        pytest.param(
            component("runner", pod({"state": {"terminated": {"reason": "OOMKilled"}}})),
            "OutOfMemory", ["600Mi", "spec.cluster.runner.resources.limits.memory."],
            id="killed runner",
        ),
        pytest.param(
            pod(conditions=[{
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": "0/1 nodes are available: 1 Insufficient cpu.",
            }]),
            "Unschedulable", ["Insufficient cpu"], id="no node",
        ),
        pytest.param(
            pod({"state": {"waiting": {
                "reason": "CreateContainerConfigError", "message": 'secret "k" not found',
            }}}),
            "PodRejected", ['secret "k" not found'], id="missing secret",
        ),
        pytest.param(
            pod({
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": "Error", "exitCode": 3, "message": "boo"}},
            }),
            "WorkerLost", ["exit code 3", "boo"], id="crashes",
        ),
        pytest.param(
            pod(phase="Failed", reason="Evicted", message="disk pressure"),
            "WorkerLost", ["Evicted", "disk pressure"], id="evicted",
        ),
    ],
)  # fmt: skip
def test_pod_problems(body: dict[str, Any], reason: str, parts: list[str]) -> None:
    """Each problem has its reason, and a message that names its cause."""
    found = list(pod_problems(body))
    assert [problem.reason for problem in found] == [reason]
    assert all(part in found[0].message for part in parts)


def test_runner_with_rejected_credentials() -> None:
    """The end of a runner whose credentials were rejected has a time, other ends have not."""
    ended = {"exitCode": 75, "finishedAt": CREATED, "message": "access denied"}
    found = credentials_rejected_at(pod({"state": {"terminated": ended}})["status"])
    assert found is not None
    assert found.isoformat() == CREATED.replace("Z", "+00:00")
    ended["exitCode"] = 1
    assert credentials_rejected_at(pod({"state": {"terminated": ended}})["status"]) is None


@pytest.mark.parametrize("field", ["state", "lastState"])
def test_termination_message(field: str) -> None:
    """The message of the last end has the exit code; a running container has none."""
    ended = {"exitCode": 3, "message": " no route\n", "reason": "Error"}
    assert termination_message(pod({field: {"terminated": ended}})["status"]) == (
        "exit code 3: no route"
    )
    assert termination_message(pod({"state": {"running": {}}})["status"]) == ""
