"""What the API server accepts and refuses by the CRD's schema and rules."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.support import api_server, workplans
from tests.support.paths import ROOT
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kube_errors import Invalid
from voxk8s.cluster.resources import WORK_PLANS

STORED = {
    path.stem: json.loads(path.read_text())
    for path in sorted((ROOT / "tests" / "data" / "workplans").glob("*.json"))
}
PLAN = workplans.addition(1.0, 2.0)
GOAL = {"operation": "print", "id": "s", "name": "sum"}
CONSTANT = {"id": "a", "type": "constant", "value": 1}


@pytest.fixture
async def namespace(direct: KubeClient) -> str:
    """A namespace of this test, whose statuses no operator writes."""
    return await api_server.make_namespace(direct)


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
    "onItemFailure": {"onItemFailure": "Skip"},
    "expect": {"expect": [{"goal": "sum", "value": 3.5, "within": 0.1}]},
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


@pytest.mark.parametrize("change", [{"cluster": {"maxWorkers": 3}}, {"store": {"url": "s3://b"}}])
async def test_store_and_cluster_change_only_at_rest(
    direct: KubeClient, namespace: str, change: dict[str, Any]
) -> None:
    """They stay while a run may read them, which the status says, and not what suspend is to be."""

    async def report(**status: Any) -> None:
        await direct.patch(WORK_PLANS, "w", {"status": status}, namespace, subresource="status")

    def changed(suspend: bool) -> KubeObject:
        return workplans.workplan("w", PLAN, suspend=suspend, **change)

    await direct.create(WORK_PLANS, workplans.workplan("w", PLAN), namespace)
    await dry(direct, namespace, changed(suspend=False))  # It has not begun.
    await report(phase="Running")
    for suspend in (False, True):
        with pytest.raises(Invalid, match="change it when the phase is Suspended"):
            await dry(direct, namespace, changed(suspend))
    await direct.patch(WORK_PLANS, "w", {"spec": {"suspend": True}}, namespace)
    with pytest.raises(Invalid, match="cannot be changed while the WorkPlan runs"):
        await dry(direct, namespace, changed(suspend=False))
    await report(phase="Suspended")
    await dry(direct, namespace, changed(suspend=False))
    await report(phase="Failed", completionTime="2026-01-02T03:04:05Z")
    await dry(direct, namespace, changed(suspend=False))


async def test_two_managers_share_a_list(direct: KubeClient, namespace: str) -> None:
    """Variables that GitOps and a person add by server-side apply do not replace each other."""

    def variables(*names: str) -> KubeObject:
        env = [{"name": name, "value": "1"} for name in names]
        return workplans.workplan("w", PLAN, cluster={"worker": {"env": env}}, suspend=True)

    await direct.apply(WORK_PLANS, variables("TZ", "LANG"), namespace, manager="gitops")
    await direct.apply(WORK_PLANS, variables("LC_ALL"), namespace, manager="person", force=False)
    found = await direct.apply(WORK_PLANS, variables("TZ"), namespace, manager="gitops")
    names = {each["name"] for each in found["spec"]["cluster"]["worker"]["env"]}
    assert names == {"TZ", "LC_ALL"}
    twice = variables("A", "A") | {"metadata": {"name": "twice"}}
    with pytest.raises(Invalid, match="Duplicate value"):
        await direct.create(WORK_PLANS, twice, namespace)


@pytest.mark.parametrize(
    ("value", "accepted"),
    [(3.5, True), (3, True), ("x", True), (True, True), ([1], False), ({"a": 1}, False)],
)
async def test_expected_values_have_the_types_of_results(
    direct: KubeClient, namespace: str, value: Any, accepted: bool
) -> None:
    """Numbers, strings and truth values; what a run could never print is refused at once."""
    body = workplans.workplan("w", PLAN, expect=[{"goal": "sum", "value": value}])
    if not accepted:
        with pytest.raises(Invalid, match="expect"):
            await dry(direct, namespace, body)
        return
    made = await dry(direct, namespace, body)
    assert made["spec"]["expect"] == [{"goal": "sum", "value": value, "within": 0}]


async def test_expected_values_stay_while_other_fields_change(
    direct: KubeClient, namespace: str
) -> None:
    """The rule compares values, whatever their types are."""

    def body(value: Any, **parts: Any) -> KubeObject:
        expect = [{"goal": "sum", "value": value}, {"goal": "t", "value": "x"}]
        return workplans.workplan("w", PLAN, expect=expect, **parts)

    await direct.create(WORK_PLANS, body(3.5), namespace)
    await dry(direct, namespace, body(3.5, priority=3))
    with pytest.raises(Invalid, match="expect can only be changed"):
        await dry(direct, namespace, body(4.5))


async def test_field_selectors(direct: KubeClient, namespace: str) -> None:
    """WorkPlans are found by phase and by reason, as `kubectl get --field-selector` does."""
    for name, phase in (("a", "Queued"), ("b", "Failed")):
        body = workplans.workplan(name, PLAN)
        await direct.create(WORK_PLANS, body, namespace)
        part = {"status": {"phase": phase, "reason": f"{phase}Reason"}}
        await direct.patch(WORK_PLANS, name, part, namespace, subresource="status")
    for selector in ("status.phase=Failed", "status.reason=FailedReason", "status.phase!=Queued"):
        found = await direct.list(WORK_PLANS, namespace, field_selector=selector)
        assert [each["metadata"]["name"] for each in found.items] == ["b"]


@pytest.mark.parametrize("name", STORED)
async def test_stored_objects_are_still_valid(
    direct: KubeClient, namespace: str, name: str
) -> None:
    """What earlier versions of the CRD accepted is accepted, and no field that is used is lost."""
    stored = copy.deepcopy(STORED[name])
    metadata = {"name": name, "namespace": namespace}
    made = await direct.create(WORK_PLANS, {**stored, "metadata": metadata}, namespace)
    status = {"apiVersion": made["apiVersion"], "kind": made["kind"], "metadata": metadata}
    written = await direct.apply(
        WORK_PLANS, status | {"status": stored["status"]}, namespace,
        manager="operator", subresource="status",
    )  # fmt: skip
    stored["spec"].get("cluster", {}).pop("poolRef", None)
    later = {"onItemFailure": "Fail"}
    assert made["spec"] == later | stored["spec"], "only defaults of later versions are added"
    assert written["status"] == stored["status"]


async def test_the_controller_cannot_change(direct: KubeClient, namespace: str) -> None:
    """A WorkPlan that one controller runs is not handed to another one, nor taken from it."""
    body = workplans.workplan("w", PLAN, suspend=True, managedBy="example.org/dispatcher")
    await direct.create(WORK_PLANS, body, namespace)
    for other in ("voxk8s.io/operator", None):
        with pytest.raises(Invalid, match="managedBy cannot be changed"):
            await direct.patch(WORK_PLANS, "w", {"spec": {"managedBy": other}}, namespace)
    await direct.patch(WORK_PLANS, "w", {"spec": {"suspend": False}}, namespace)
