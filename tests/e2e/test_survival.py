"""Any part may die at any moment: the run ends with the right values all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import store_away, succeeded, under_way, waiting
from tests.support import workplans
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.cluster

COUNT, SECONDS = 12, 1.5


def pods(kube: Kubectl, component: str) -> list[dict[str, Any]]:
    """Return the live pods of one component."""
    found = kube.items("pods", f"app.kubernetes.io/component={component}")
    return [
        pod
        for pod in found
        if pod["status"].get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")
    ]


def start(kube: Kubectl, salt: float) -> None:
    """Apply a plan of several seconds and wait until some of it is computed."""
    spec = {"maxWorkers": 2, "threadsPerWorker": 1}
    plan = workplans.sleeps(COUNT, SECONDS, salt)
    kube.apply(workplans.workplan("run", plan, cluster=spec))
    under_way(kube, "run")


def check(kube: Kubectl, salt: float) -> None:
    """See that the run ends with the right value and every operation accounted for."""
    thing = succeeded(kube, "run")
    expected = COUNT * SECONDS + salt * COUNT * (COUNT + 1) / 2
    assert workplans.results(thing)["total"] == pytest.approx(expected, abs=1e-9)
    operations = thing["status"]["operations"]
    assert operations["failed"] == 0
    assert operations["computed"] + operations["cached"] <= operations["total"] == 2 * COUNT - 1
    assert thing["status"]["progress"] == f"{2 * COUNT - 1}/{2 * COUNT - 1}"


@pytest.mark.timeout(420)
@pytest.mark.parametrize("component", ["worker", "scheduler", "runner"])
def test_a_pod_of_the_run_dies(kube: Kubectl, salt: float, component: str) -> None:
    """A run whose worker, scheduler or runner pod is deleted in the middle ends as it should."""
    start(kube, salt)
    victim = pods(kube, component)[0]["metadata"]["name"]
    kube.delete("pod", victim, "--grace-period=0", "--force")
    check(kube, salt)


@pytest.mark.timeout(420)
def test_the_operator_dies(kube: Kubectl, cluster: Kubectl, salt: float) -> None:
    """A run during which the operator's pods are deleted ends as it should."""
    start(kube, salt)
    system = cluster.within("voxk8s-system")
    for pod in pods(system, "operator"):
        system.delete("pod", pod["metadata"]["name"], "--grace-period=0", "--force")
    check(kube, salt)


@pytest.mark.timeout(420)
def test_the_store_dies(kube: Kubectl, salt: float) -> None:
    """A run waits for a store that goes away in the middle, and computes nothing again."""
    start(kube, salt)
    with store_away():
        waiting(kube, "run", "StoreReady", "StoreUnreachable")
    check(kube, salt)
    operations = kube.get("workplan", "run")["status"]["operations"]
    assert (operations["computed"], operations["cached"]) == (2 * COUNT - 1, 0)
