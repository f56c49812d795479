"""The health check for Argo CD, run by a Lua as Argo CD does."""

from __future__ import annotations

from typing import Any

import pytest
from lupa import lua54

from tests.support.paths import ROOT
from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import FULLY_CACHED, WORK_LEFT, later
from voxk8s.api.status import Outcome
from voxk8s.api.workplan import encode
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Invalid

SCRIPT = (ROOT / "manifests" / "argocd" / "health.lua").read_text()


def health(thing: dict[str, Any]) -> tuple[str, str]:
    """Return status and message that Argo CD shows for an object."""
    lua = lua54.LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(thing, recursive=True)
    found = lua.execute(SCRIPT)
    return found["status"], found["message"]


def seen(observed: Observed, **metadata: Any) -> dict[str, Any]:
    """Return the WorkPlan of an observation as the API server has it."""
    resource = observed.workplan
    status = {
        "observedGeneration": resource.status.observed_generation,
        **encode(resource.status),
    }
    return {
        "metadata": {"generation": resource.metadata.generation, **metadata},
        "spec": {"suspend": resource.spec.suspend},
        "status": status,
    }


def ended(state: Any, reason: str) -> Observed:
    """Build a run whose runner has reported an outcome."""
    outcome = Outcome(state=state, reason=reason, message="words")
    return build.with_operator_status(
        build.running(status={"outcome": outcome}), later(9), outcome=outcome
    )


STORE_AWAY = Blocked("StoreUnreachable", "no answer", later(5))
SUSPENDED = build.with_spec(build.running(), suspend=True)
MOMENTS = {
    "accepted": (build.with_operator_status(build.applied()), "Progressing", "looked up"),
    "waiting": (
        build.with_operator_status(build.applied(resolution=STORE_AWAY)),
        "Progressing",
        "no answer",
    ),
    "starting": (
        build.with_operator_status(build.applied(resolution=WORK_LEFT)),
        "Progressing",
        "is starting",
    ),
    "running": (build.running(), "Progressing", "being computed"),
    "suspended": (build.with_operator_status(SUSPENDED), "Suspended", "kept"),
    "known": (
        build.with_operator_status(build.applied(resolution=FULLY_CACHED)),
        "Healthy",
        "in the store",
    ),
    "succeeded": (ended("Succeeded", "AllGoalsReached"), "Healthy", "words"),
    "failed": (ended("Failed", "OperationFailed"), "Degraded", "OperationFailed: words"),
    "invalid": (
        build.with_operator_status(build.applied(resolution=Invalid("InvalidPlan", "at $"))),
        "Degraded",
        "InvalidPlan: at $",
    ),
}


@pytest.mark.parametrize(("observed", "status", "words"), MOMENTS.values(), ids=MOMENTS)
def test_health_at_each_moment(observed: Observed, status: str, words: str) -> None:
    """Argo CD sees progress, suspension, success and failure for what they are, with a reason."""
    found, message = health(seen(observed))
    assert found == status
    assert words in message


def test_health_of_an_object_that_nobody_has_seen() -> None:
    """Before the operator's first word a WorkPlan is on its way, never healthy."""
    for thing in (
        {"metadata": {"generation": 1}, "spec": {}},
        {"metadata": {"generation": 1}, "spec": {}, "status": {"observedGeneration": -1}},
    ):
        assert health(thing)[0] == "Progressing"


def test_health_after_a_change_that_nobody_has_seen() -> None:
    """Conditions of an older generation do not count."""
    done = build.with_operator_status(build.applied(resolution=FULLY_CACHED))
    assert health(seen(done))[0] == "Healthy"
    assert health(seen(done, generation=2))[0] == "Progressing"
