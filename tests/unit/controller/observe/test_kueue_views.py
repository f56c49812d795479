"""Workloads and ResourceFlavors as Kueue writes them."""

from __future__ import annotations

from typing import Any

from tests.unit.controller.observe.kube_objects import meta
from voxk8s.api.spec import Toleration
from voxk8s.cluster.placement import Placement
from voxk8s.controller.observe import kueue_views
from voxk8s.controller.observe.observed import Problem

STAMP = "2026-05-04T12:00:00Z"


def condition(kind: str, status: str, reason: str = "R", message: str = "m") -> dict[str, Any]:
    """Make a condition."""
    return {
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": STAMP,
    }  # fmt: skip


def workload(*conditions: dict[str, Any], spec: Any = None, **status: Any) -> dict[str, Any]:
    """Make a Workload."""
    return {
        "metadata": meta(),
        "spec": {"queueName": "lab", "priority": 3, "active": True, **(spec or {})},
        "status": {"conditions": list(conditions), **status},
    }


ADMISSION = {
    "clusterQueue": "all",
    "podSetAssignments": [
        {"name": "scheduler", "flavors": {"cpu": "plain", "memory": "plain"}, "count": 1},
        {"name": "worker", "flavors": {"cpu": "spot", "memory": "plain"}, "count": 2},
    ],
}
CHECKS = [
    {
        "name": "provisioning",
        "state": "Ready",
        "podSetUpdates": [{"name": "worker", "nodeSelector": {"request": "r-1"}}],
    }
]
FLAVOR = {
    "metadata": {"name": "spot"},
    "spec": {
        "nodeLabels": {"pool": "spot"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
    },
}


def test_a_workload_that_waits() -> None:
    """It has a reason; a new one has not even that."""
    view = kueue_views.workload(workload(condition("QuotaReserved", "False", "Pending", "full")))
    assert (view.owner, view.queue, view.priority) == ("u-1", "lab", 3)
    assert (view.reserved, view.admitted, view.has_quota) == (False, False, False)
    assert view.waiting == Problem("Pending", "full")
    assert kueue_views.workload({"metadata": meta(), "spec": {}}).waiting is None


def test_quota() -> None:
    """Only an admission that was not taken back lets pods run."""
    admitted = condition("QuotaReserved", "True"), condition("Admitted", "True")
    assert kueue_views.workload(workload(*admitted)).has_quota
    assert not kueue_views.workload(workload(admitted[0])).has_quota
    evicted = kueue_views.workload(workload(*admitted, condition("Evicted", "True", "Preempted")))
    assert (evicted.has_quota, evicted.evicted) == (False, Problem("Preempted", "m"))
    assert kueue_views.workload(workload(*admitted, condition("Evicted", "False"))).has_quota
    assert not kueue_views.workload(workload(*admitted, spec={"active": False})).has_quota
    assert not kueue_views.workload(workload(*admitted, condition("Finished", "True"))).has_quota


def test_placements() -> None:
    """Flavors and admission checks together place the pods of a set."""
    view = kueue_views.workload(workload(admission=ADMISSION, admissionChecks=CHECKS))
    plain = kueue_views.flavor({"metadata": {"name": "plain"}, "spec": {}})
    flavors = {"plain": plain, "spot": kueue_views.flavor(FLAVOR)}
    found, unknown = kueue_views.placements(view, flavors)
    assert unknown == ()
    spot = (Toleration(key="spot", operator="Exists"),)
    assert found == {
        "scheduler": Placement(count=1),
        "worker": Placement({"pool": "spot", "request": "r-1"}, spot, count=2),
    }
    assert kueue_views.placements(view, {"plain": plain})[1] == ("spot",)
