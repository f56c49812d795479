"""Events about WorkPlans."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.scripted_kube import ScriptedKube
from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import START
from voxk8s.cluster.kube_errors import KubeUnreachable
from voxk8s.controller.act.event_recorder import EventRecorder, build_event
from voxk8s.controller.decide.actions import EmitEvent


def test_event() -> None:
    """An event has its type, reason, truncated message, and the WorkPlan's uid."""
    event = build_event(
        build.workplan(), EmitEvent(True, "StoreUnreachable", "x" * 3000), "op", START
    )
    assert (event["type"], event["reason"]) == ("Warning", "StoreUnreachable")
    assert event["involvedObject"]["uid"] == "u-1"
    assert len(event["message"]) <= 1024
    assert event["metadata"]["namespace"] == "ns"


async def test_errors_are_ignored() -> None:
    """An error while creating an event is ignored."""
    kube: Any = ScriptedKube()

    async def create_event(_: object) -> None:
        raise KubeUnreachable("away")

    kube.create_event = create_event
    recorder = EventRecorder(kube, "op", lambda: START)
    recorder.emit(build.workplan(), EmitEvent(False, "Accepted", ""))
    await asyncio.wait_for(recorder.flush(), 1)


async def test_a_crowd_of_good_news_is_cut_short() -> None:
    """A namespace gets so many normal events a second; warnings and others get theirs."""
    kube: Any = ScriptedKube()
    events: list[dict[str, Any]] = []

    async def create_event(event: dict[str, Any]) -> None:
        events.append(event)

    kube.create_event = create_event
    now = 0.0
    recorder = EventRecorder(kube, "op", lambda: START, lambda: now)
    for number in range(300):
        recorder.emit(build.workplan(), EmitEvent(False, f"Succeeded{number}", ""))
    now = 1.0
    recorder.emit(build.workplan(), EmitEvent(False, "Later", ""))
    for number in range(150):
        recorder.emit(build.workplan(), EmitEvent(True, f"Failed{number}", ""))
    await recorder.flush()
    reasons = [event["reason"] for event in events]
    assert sum(reason.startswith("Succeeded") for reason in reasons) == 100
    assert "Later" in reasons
    assert sum(reason.startswith("Failed") for reason in reasons) == 150
