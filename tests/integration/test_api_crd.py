"""What the API server accepts and refuses by the CRD's schema and rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import workplans
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kube_errors import Invalid
from voxk8s.cluster.resources import WORK_PLANS

PLAN = workplans.addition(1.0, 2.0)
GOAL = {"operation": "print", "id": "s", "name": "sum"}
CONSTANT = {"id": "a", "type": "constant", "value": 1}


async def dry(kube: KubeClient, namespace: str, body: KubeObject) -> KubeObject:
    """Let the API server check an object."""
    return await kube.apply(WORK_PLANS, body, namespace, manager="tests", dry_run=True)


REFUSED: dict[str, tuple[Any, str]] = {
    "no goals": ({"nodes": [CONSTANT], "goals": []}, "plan.goals"),
    "goals left out": ({"nodes": [CONSTANT]}, "plan.goals: Required"),
    "no nodes": ({"nodes": [], "goals": [GOAL]}, "plan.nodes"),
    "nodes as a mapping": ({"nodes": {"a": CONSTANT}, "goals": [GOAL]}, "plan.nodes"),
    "node without an id": ({"nodes": [{"type": "constant"}], "goals": [GOAL]}, "nodes[0].id"),
    "odd kind of node": ({"nodes": [{**CONSTANT, "type": "?"}], "goals": [GOAL]}, "nodes[0].type"),
    "odd goal": (
        {"nodes": [CONSTANT], "goals": [{**GOAL, "operation": "?"}]},
        "goals[0].operation",
    ),
    "long name": (
        {"nodes": [CONSTANT], "goals": [{**GOAL, "name": "x" * 100_000}]},
        "goals[0].name",
    ),
}


@pytest.mark.parametrize(("plan", "words"), REFUSED.values(), ids=REFUSED)
async def test_inline_plan_is_refused(
    direct: KubeClient, namespace: str, plan: Any, words: str
) -> None:
    """What can never run is refused when it is applied, with the field."""
    with pytest.raises(Invalid) as caught:
        await direct.create(WORK_PLANS, workplans.workplan("w", plan), namespace)
    assert words in str(caught.value)


async def test_inline_plan_is_kept(direct: KubeClient, namespace: str) -> None:
    """All kinds of nodes pass, and values and unknown fields stay as they are."""
    nodes = [
        CONSTANT, {"id": "b", "type": "constant", "value": [1, "x", None, True], "odd": {"x": [1]}},
        {"id": "f", "type": "constant", "float": "5.0"},
        {"id": "c", "type": "closure", "variable": "x", "captures": {"y": "a"}, "result": "p",
         "nodes": [{"id": "p", "type": "parameter", "name": "x", "odd": 1}]},
        {"id": "s", "type": "operation", "operator": "map", "arguments": {"0": "b", "1": "c"}},
    ]  # fmt: skip
    plan = {"nodes": nodes, "goals": [GOAL, GOAL], "imports": ["vox1"], "odd": 1}
    made = await dry(direct, namespace, workplans.workplan("w", plan))
    assert made["spec"]["source"]["plan"] == plan


@pytest.mark.parametrize("quantity", ["4GB", "-1Gi", "1 Gi", "Gi", ""])
async def test_quantities_are_checked(direct: KubeClient, namespace: str, quantity: str) -> None:
    """What is no quantity is refused when it is applied."""
    worker = {"resources": {"limits": {"memory": quantity}}}
    with pytest.raises(Invalid, match="memory"):
        await dry(direct, namespace, workplans.workplan("w", PLAN, cluster={"worker": worker}))


@pytest.mark.parametrize("quantity", [4, "4", "0.5", ".5", "1e3", "2E", "500m", "4Gi", "4G"])
async def test_quantities_are_accepted(direct: KubeClient, namespace: str, quantity: Any) -> None:
    """All forms that Kubernetes knows pass."""
    worker = {"resources": {"limits": {"memory": quantity}}}
    await dry(direct, namespace, workplans.workplan("w", PLAN, cluster={"worker": worker}))


CHANGES: dict[str, dict[str, Any]] = {
    "output": {"output": {"url": "s3://other/x"}},
    "cache": {"cache": "Refresh"},
    "onFailure": {"onFailure": "FailFast"},
    "retry": {"retry": {"limit": 9}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_what_a_run_has_read_stays(
    direct: KubeClient, namespace: str, change: dict[str, Any]
) -> None:
    """It changes only while there is no run: not in its middle, and not after its end."""
    await direct.create(WORK_PLANS, workplans.workplan("w", PLAN), namespace)

    async def report(**status: Any) -> None:
        await direct.patch(WORK_PLANS, "w", {"status": status}, namespace, subresource="status")

    for status in (
        {"phase": "Running"},
        {"phase": "Succeeded", "completionTime": "2026-01-02T03:04:05Z"},
    ):
        await report(**status)
        with pytest.raises(Invalid, match="can only be changed in the phase Suspended"):
            await dry(direct, namespace, workplans.workplan("w", PLAN, **change))
        await dry(direct, namespace, workplans.workplan("w", PLAN, priority=3))
    await report(phase="Suspended", completionTime=None)
    made = await dry(direct, namespace, workplans.workplan("w", PLAN, **change))
    for name, value in change.items():
        assert made["spec"][name] == value or made["spec"][name]["limit"] == 9
