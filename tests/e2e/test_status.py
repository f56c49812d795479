"""What kubectl, Flux and Argo CD read at every moment of a WorkPlan's life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Watch, describe, ended, succeeded, under_way
from tests.support import kstatus, workplans
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.waiting import wait_for

pytestmark = pytest.mark.cluster


def test_every_moment_of_a_run(
    kube: Kubectl, watch: Callable[[Kubectl, str], Watch], salt: float
) -> None:
    """In progress until the end, then current for good; progress never goes down."""
    seen = watch(kube, "workplans")
    kube.apply(workplans.workplan("run", workplans.sleeps(4, 0.5, salt)))
    final = succeeded(kube, "run")
    states = [
        s
        for s in seen.stop(until=lambda state: kstatus.read(state) == "Current")
        if s["kind"] == "WorkPlan"
    ]
    assert len(states) >= 3
    readings = [kstatus.read(state) for state in states]
    first = readings.index("Current")
    assert set(readings[:first]) == {"InProgress"}
    assert set(readings[first:]) == {"Current"}
    assert kstatus.broken_rules(states) == []
    assert all(workplans.results(state).keys() == {"total"} for state in states[first:])
    assert final["status"]["observedGeneration"] == final["metadata"]["generation"]


def test_suspended_run_gives_its_cluster_back_and_goes_on(kube: Kubectl, salt: float) -> None:
    """Suspending takes the pods away and is in progress for kstatus; resuming ends the work.

    The report of what was done until then is there meanwhile.
    """
    plan = workplans.sleeps(10, 1, salt)
    kube.apply(workplans.workplan("run", plan, cluster={"maxWorkers": 1, "threadsPerWorker": 1}))
    under_way(kube, "run")
    kube.run("patch", "workplan", "run", "--type=merge", "-p", '{"spec":{"suspend":true}}')

    def given_back() -> bool:
        live = [p for p in kube.items("pods") if p["status"].get("phase") != "Succeeded"]
        return not kube.items("daskclusters") and not live

    wait_for("the pods are gone", given_back)
    thing = kube.get("workplan", "run")
    assert kstatus.read(thing) == "InProgress"
    assert kstatus.condition(thing, "Succeeded")["status"] == "Unknown"
    assert kstatus.condition(thing, "Ready")["reason"] == "Suspended"
    assert thing["status"]["operations"]["running"] == 0
    assert thing["status"]["report"]["url"].endswith("/report.html")
    kube.run("patch", "workplan", "run", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    thing = succeeded(kube, "run")
    operations = thing["status"]["operations"]
    assert operations["cached"] > 0
    assert operations["failed"] == 0


def test_finished_workplan_goes_after_its_time(kube: Kubectl, salt: float) -> None:
    """With ttlSecondsAfterFinished the WorkPlan and its children are deleted after the end."""
    plan = workplans.addition(17 + salt, 1)
    kube.apply(workplans.workplan("brief", plan, ttlSecondsAfterFinished=3))

    def gone() -> bool:
        try:
            kube.get("workplan", "brief")
        except KubectlError:
            return True
        return False

    wait_for("the WorkPlan is gone", gone, timeout=180)
    wait_for("its Job is gone", lambda: not kube.items("jobs"), timeout=60)


def test_printer_columns(kube: Kubectl, salt: float) -> None:
    """`kubectl get workplans` prints status and progress."""
    kube.apply(workplans.workplan("sum", workplans.addition(19 + salt, 1)))
    succeeded(kube, "sum")
    header, row = kube.run("get", "workplans").splitlines()
    assert header.split() == [
        "NAME", "STATUS", "PROGRESS", "CACHED", "WORKERS", "DURATION", "AGE",
    ]  # fmt: skip
    assert row.split()[:3] == ["sum", "Succeeded", "1/1"]


def test_deadline(kube: Kubectl, salt: float) -> None:
    """A run beyond activeDeadlineSeconds ends Stalled with that reason, and its pods go."""
    plan = workplans.sleeps(2, 60, salt)
    kube.apply(workplans.workplan("late", plan, activeDeadlineSeconds=15))
    thing = ended(kube, "late")
    assert kstatus.condition(thing, "Stalled")["reason"] == "DeadlineExceeded", describe(
        kube, "late"
    )
    kube.run("wait", "--for=delete", "daskcluster", "--all", "--timeout=60s")


def events(kube: Kubectl, name: str) -> list[dict[str, Any]]:
    """Return the events about a WorkPlan."""
    return [e for e in kube.items("events") if e["involvedObject"].get("name") == name]


def test_transitions_are_events(kube: Kubectl, salt: float) -> None:
    """A person who asks `kubectl describe` sees what happened, each transition once."""
    kube.apply(workplans.workplan("sum", workplans.addition(23 + salt, 1)))
    succeeded(kube, "sum")

    def reasons_of_events() -> list[str]:
        reasons = [event["reason"] for event in events(kube, "sum")]
        return reasons if "AllGoalsReached" in reasons else []

    reasons = wait_for("the events", reasons_of_events)
    assert len(reasons) == len(set(reasons))
