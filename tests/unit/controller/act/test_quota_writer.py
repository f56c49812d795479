"""What is written to Workloads; a real API server has Kueue's schema for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.observe.kube_objects import meta
from voxk8s.controller.act.quota_writer import QuotaWriter
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import WorkloadView

OBSERVED = build.applied(queue="lab", workload=WorkloadView("q", "u-2", "u-1"))


class OneWorkload:
    """An API server that has one Workload."""

    def __init__(self, *conditions: dict[str, Any]) -> None:
        self.body = {
            "metadata": meta(name="q", resourceVersion="7", generation=3),
            "spec": {},
            "status": {"conditions": list(conditions), "admission": {}},
        }
        self.patches: list[dict[str, Any]] = []

    async def find(self, *_: Any) -> dict[str, Any]:
        """Return the Workload."""
        return self.body

    async def patch(
        self, _: Any, name: str, body: dict[str, Any], __: str, **more: Any
    ) -> dict[str, Any]:
        """Note a patch."""
        self.patches.append(body | more)
        return self.body


def condition(kind: str, reason: str) -> dict[str, Any]:
    """Make a condition that holds since a day."""
    return {
        "type": kind, "status": "True", "reason": reason, "message": "why",
        "lastTransitionTime": "2026-05-03T12:00:00Z",
    }  # fmt: skip


def writer(kube: Any) -> QuotaWriter:
    """Make a writer."""
    return QuotaWriter(kube, ClusterState(lambda _: None, lambda _: None), lambda: build.START)


@pytest.mark.parametrize(("reason", "requeued"), [("Preempted", "True"), ("Deactivated", "False")])
async def test_release(reason: str, requeued: str) -> None:
    """The reservation goes with the admission; only some evictions are queued again at once."""
    kinds = ("QuotaReserved", "Admitted", "PodsReady")
    kube = OneWorkload(*(condition(kind, "R") for kind in kinds), condition("Evicted", reason))
    await writer(kube).release(OBSERVED, "u-2")
    (patch,) = kube.patches
    assert patch["metadata"] == {"uid": "u-2", "resourceVersion": "7"}
    assert (patch["subresource"], patch["status"]["admission"]) == ("status", None)
    found = {each["type"]: each for each in patch["status"]["conditions"]}
    assert {kind: each["status"] for kind, each in found.items()} == {
        "QuotaReserved": "False", "Admitted": "False", "PodsReady": "False", "Evicted": "True",
        "Requeued": requeued,
    }  # fmt: skip
    assert found["QuotaReserved"]["lastTransitionTime"] == "2026-05-04T12:00:00Z"
    assert found["Evicted"]["lastTransitionTime"] == "2026-05-03T12:00:00Z"
    assert found["Requeued"]["reason"] == reason


async def test_another_workload_of_its_name() -> None:
    """What was decided about one that is gone is not written to the next."""
    kube = OneWorkload(condition("Admitted", "R"))
    await writer(kube).release(OBSERVED, "u-before")
    await writer(kube).report_pods_ready(OBSERVED, "u-before")
    assert kube.patches == []


async def test_ready_pods_are_reported() -> None:
    """PodsReady is added, and what Kueue wrote stays."""
    kube = OneWorkload(condition("Admitted", "R"))
    await writer(kube).report_pods_ready(OBSERVED, "u-2")
    found = {each["type"]: each["reason"] for each in kube.patches[0]["status"]["conditions"]}
    assert found == {"Admitted": "R", "PodsReady": "Started"}
    assert "admission" not in kube.patches[0]["status"]
