"""Who has a cluster and who waits for one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import FULLY_CACHED, WORK_LEFT, later
from voxk8s.api.status import Condition, WorkPlanStatus
from voxk8s.controller.limits import Limits
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolving, Unresolved
from voxk8s.controller.start_queue import StartQueue
from voxk8s.controller.work_queue import ObjectKey


def one(name: str, namespace: str = "ns", **changes: object) -> Observed:
    """Make a WorkPlan with work left."""
    plan = build.workplan(start_time=later(0))
    metadata = msgspec.structs.replace(
        plan.metadata, name=name, namespace=namespace, uid=f"u-{name}"
    )
    observed = build.applied(workplan=msgspec.structs.replace(plan, metadata=metadata))
    return build.replace(observed, **{"resolution": WORK_LEFT, **changes})


def test_up_to_the_limit() -> None:
    """What is over the limit waits, and starts when another one ends."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=2), called.append)
    queue.open()
    assert [bool(queue.note(one(name))) for name in "abcd"] == [False, False, True, True]
    assert [key.name for key in called] == ["a", "b"]
    assert "all 2 of limits.clusters are in use, and 1 other WorkPlan waits" in queue.note(one("d"))
    assert queue.note(one("a", cluster=build.cluster())) == ""
    queue.forget("u-a")
    assert [key.name for key in called] == ["a", "b", "c"]
    assert (queue.note(one("c")), queue.waiting) == ("", 1)


def test_nothing_starts_before_all_are_noted() -> None:
    """After a restart those that have clusters are counted before another one may start."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    assert queue.note(one("new"))
    assert queue.note(one("old", cluster=build.cluster())) == ""
    queue.open()
    assert called == []
    assert queue.note(one("new"))


def test_admitted_one_is_looked_up_again() -> None:
    """After a restart the first in rank keeps its place, whoever is looked up first."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    for name in "ab":
        waited = one(name, resolution=Unresolved())
        assert queue.note(build.with_status(waited, WorkPlanStatus(phase="Queued")))
    queue.open()
    assert queue.note(one("a", resolution=Resolving())) == ""
    assert queue.note(one("b"))
    assert queue.note(one("a")) == ""
    assert queue.note(one("a", resolution=Blocked("StoreUnreachable", "away", later(9)))) == ""
    assert [key.name for key in called] == ["a", "b"], "what waits for the store leaves its place"


def test_admitted_one_that_needs_no_cluster() -> None:
    """A plan that turns out to be known gives its turn away."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    queue.open()
    assert queue.note(one("a")) == ""
    assert queue.note(one("b"))
    assert queue.note(one("a", resolution=FULLY_CACHED)) == ""
    assert [key.name for key in called] == ["a", "b"]


def test_refused_one_leaves_its_place() -> None:
    """Others start while its cluster cannot be created; it tries again when it is due and may."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    queue.open()
    refused: dict[str, Any] = {"create_errors": (build.problem("PodRejected"),)}
    assert queue.note(one("a")) == ""
    assert queue.note(one("b"))
    assert "could not be created" in queue.note(one("a", create_wait=9.0, **refused))
    assert queue.note(one("b", cluster=build.cluster())) == ""
    assert "limits.clusters" in queue.note(one("a", **refused))
    queue.forget("u-b")
    assert [key.name for key in called] == ["a", "b", "a"]
    assert queue.note(one("a", **refused)) == "", "it tries again"
    assert queue.note(one("a", create_wait=9.0, **refused))
    assert queue.note(one("a", resolution=Blocked("StoreUnreachable", "away", later(9))))
    assert queue.note(one("a", cluster=build.cluster(), **refused)) == ""
    assert queue.note(one("a")) == "", "what has started keeps its place"


def test_refused_one_after_a_restart() -> None:
    """What its status says counts: else all whose clusters were refused would start at once."""
    queue = StartQueue(Limits(clusters=1), lambda key: None)
    refused = one("a", create_errors=(build.problem("PodRejected"),))
    said = build.replace(build.with_operator_status(refused), create_errors=())
    assert said.workplan.status.phase == "Starting"
    assert queue.note(build.replace(said, resolution=Unresolved()))
    assert queue.note(one("b", cluster=build.cluster())) == ""
    queue.open()
    assert queue.note(said)
    queue.forget("u-b")
    assert queue.note(said) == ""


@pytest.mark.parametrize("waits_for", ["the end of its last run", "the end of its suspension"])
def test_one_that_waits_for_pods_to_end_keeps_no_place(waits_for: str) -> None:
    """A pod of a lost node may never end, and the others need not wait for it."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    queue.open()
    assert queue.note(one("a", cluster=build.cluster())) == ""
    assert queue.note(one("b"))
    left = one("a", resolution=Unresolved(), access=build.access(), live_pods=(build.pod(),))
    status = WorkPlanStatus(phase="Suspended")
    if waits_for == "the end of its last run":
        clearing = Condition("Reconciling", "True", "Retry", "", later(0))
        status = WorkPlanStatus(phase="Resolving", conditions=(clearing,))
    assert queue.note(build.with_status(left, status)) == ""
    assert [key.name for key in called] == ["b"]


def test_without_limits_nothing_is_kept() -> None:
    """Nobody waits, and no memory is taken."""
    queue = StartQueue(Limits(), lambda key: None)
    assert queue.note(one("a")) == ""
    assert queue.waiting == 0
    assert not queue._holding
