"""Health check and actions for Argo CD, run by a Lua as Argo CD does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml
from lupa import lua54

from tests.support.paths import ROOT
from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import FULLY_CACHED, WORK_LEFT, later
from voxk8s.api.status import Outcome
from voxk8s.api.workplan import encode
from voxk8s.controller.decide.policies import rerun
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Invalid

FOLDER = ROOT / "manifests" / "argocd"
SCRIPT = (FOLDER / "health.lua").read_text()
HEALTH_TESTS = yaml.safe_load((FOLDER / "health_test.yaml").read_text())["tests"]
ACTION_TESTS = yaml.safe_load((FOLDER / "actions" / "action_test.yaml").read_text())


def run(script: str, thing: dict[str, Any]) -> Any:
    """Return what a script answers about an object, as Python values."""
    lua = lua54.LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(thing, recursive=True)
    return plain(lua.execute(script))


def plain(value: Any) -> Any:
    """Return a table of Lua as a list or a dict."""
    if lua54.lua_type(value) != "table":
        return value
    items = {key: plain(item) for key, item in value.items()}
    return list(items.values()) if 1 in items else items


def read(path: str) -> dict[str, Any]:
    """Read an object of the tests that Argo CD's own test runner would read."""
    thing: dict[str, Any] = yaml.safe_load((FOLDER / path).read_text())
    return thing


def health(thing: dict[str, Any]) -> tuple[str, str]:
    """Return status and message that Argo CD shows for an object."""
    found = run(SCRIPT, thing)
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


@pytest.mark.parametrize("case", HEALTH_TESTS, ids=lambda case: case["inputPath"])
def test_health_in_the_format_of_argo_cd(case: dict[str, Any]) -> None:
    """The test data that Argo CD's test runner reads agrees with the script."""
    expected = case["healthStatus"]
    assert health(read(case["inputPath"])) == (expected["status"], expected["message"])


@pytest.mark.parametrize("case", ACTION_TESTS["discoveryTests"], ids=lambda case: case["inputPath"])
def test_actions_that_are_offered(case: dict[str, Any]) -> None:
    """Suspend and resume while it is not finished, retry when it is."""
    script = (FOLDER / "actions" / "discovery.lua").read_text()
    found = run(script, read(f"actions/{case['inputPath']}"))
    assert {name: {"name": name, **action} for name, action in found.items()} == {
        each["name"]: each for each in case["result"]
    }


@pytest.mark.parametrize("case", ACTION_TESTS["actionTests"], ids=lambda case: case["action"])
def test_action(case: dict[str, Any]) -> None:
    """An action changes what it says and nothing else."""
    script = (FOLDER / "actions" / case["action"] / "action.lua").read_text()
    changed = run(script, read(f"actions/{case['inputPath']}"))
    assert changed == read(f"actions/{case['expectedOutputPath']}")


def test_the_retry_of_argo_cd_is_one_that_the_operator_acts_on() -> None:
    """The annotation that the action sets starts another run."""
    failed = ended("Failed", "OperationFailed")
    script = (FOLDER / "actions" / "retry" / "action.lua").read_text()
    thing = seen(failed)
    thing["status"]["completionTime"] = "2026-05-04T12:00:09Z"
    annotations = run(script, thing)["metadata"]["annotations"]
    resource = failed.workplan
    metadata = msgspec.structs.replace(resource.metadata, annotations=annotations)
    retried = msgspec.structs.replace(resource, metadata=metadata)
    assert rerun.is_requested(build.replace(failed, workplan=retried))


def test_config_map_has_the_scripts() -> None:
    """One file installs all of them."""
    data = yaml.safe_load((FOLDER / "argocd-cm.yaml").read_text())["data"]
    assert data["resource.customizations.health.voxk8s.io_WorkPlan"] == SCRIPT
    actions = yaml.safe_load(data["resource.customizations.actions.voxk8s.io_WorkPlan"])
    assert actions["discovery.lua"] == (FOLDER / "actions" / "discovery.lua").read_text()
    assert [each["name"] for each in actions["definitions"]] == ["resume", "retry", "suspend"]
