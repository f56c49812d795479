"""The end of a run: by its outcome, an invalid plan, or a runner that failed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import (
    child_actions,
    cluster_ready,
    decided_actions,
    run_outcome,
    states,
    written_status,
)
from tests.unit.controller.observed_builders import FULLY_CACHED, START, later
from voxk8s import constants
from voxk8s.controller.decide.actions import (
    WriteOperatorStatus,
    WriteRunnerStatus,
)
from voxk8s.controller.resolve.resolution_state import Invalid, Unresolved


def test_failed_goals_stall() -> None:
    """Failed goals end the run Stalled, with the runner's reason and message."""
    outcome = run_outcome("Failed", "OperationFailed", message="1 of 2 goals failed: no such image")
    status = written_status(build.running(status={"outcome": outcome}))
    assert states(status)["Stalled"] == ("True", "OperationFailed")
    assert states(status)["Succeeded"] == ("False", "OperationFailed")
    assert states(status)["Ready"] == ("False", "OperationFailed")
    assert status.message == outcome.message


def test_memory_is_named_in_a_failure() -> None:
    """The message of a failed run mentions a worker that ran out of memory."""
    killed = build.pod(problems=(build.problem("OutOfMemory", "killed for memory"),))
    outcome = run_outcome("Failed", "OperationFailed", message="lost workers.")
    observed = build.running(status={"outcome": outcome}, pods=(killed,))
    assert written_status(observed).message == "lost workers. killed for memory"


@pytest.mark.parametrize(
    "reason", [constants.REASON_INVALID_PLAN, constants.REASON_INPUT_NOT_ALLOWED]
)
def test_invalid_plan_is_terminal(reason: str) -> None:
    """An invalid plan is Stalled at once, with its path, and no child is created."""
    observed = build.replace(
        build.with_operator_status(build.applied()), resolution=Invalid(reason, "at $.x")
    )
    status = written_status(observed)
    assert states(status)["Stalled"] == ("True", reason)
    assert states(status)["ClusterReady"] == ("False", "ClusterNotNeeded")
    assert status.message == "at $.x"
    assert not child_actions(observed)
    recorded = build.replace(build.with_operator_status(observed), resolution=Unresolved())
    assert decided_actions(recorded, later(3)) == ()


def test_runner_without_a_pod() -> None:
    """The error of the API server is reported at once; without one, where to look for it."""
    alone = build.running(runner=build.job(attempts=0), pods=())
    refused = build.replace(alone, runner_pod_error="exceeded quota: q")
    reason, message = cluster_ready(refused, later(1))
    assert (reason, message.endswith("exceeded quota: q")) == ("PodRejected", True)
    reason, message = cluster_ready(alone, later(10))
    assert (reason, "kubectl describe job/j" in message) == ("PodRejected", True)


def test_failed_runner() -> None:
    """A failed Job ends the WorkPlan with the termination message of the pod."""
    broken = build.job(failed=True, attempts=4, message="exit 1: no route")
    found = written_status(build.running(runner=broken))
    assert states(found)["Stalled"] == ("True", "RunnerFailed")
    assert "no route" in (found.message or "")


def test_restarted_runner() -> None:
    """The message mentions that the runner failed before and was restarted."""
    dead = build.pod(
        "runner", "r0", ready=False, finished=True, termination_message="exit code 1: no"
    )
    again = build.job(attempts=2)
    found = build.with_operator_status(
        build.running(runner=again, pods=(dead, build.pod()))
    ).workplan
    assert "started 2 times; its last pod ended with exit code 1: no" in (
        found.status.message or ""
    )
    assert states(found.status)["Succeeded"][0] == "Unknown"


def test_runner_that_exits_without_an_outcome() -> None:
    """A complete Job without an outcome is a failure after a grace period."""
    silent = build.job(complete=True, ended=START)
    observed = build.running(runner=silent)
    assert (
        states(build.with_operator_status(observed, later(5)).workplan.status)["Succeeded"][0]
        == "Unknown"
    )
    found = written_status(observed, later(20))
    assert states(found)["Stalled"] == ("True", "RunnerFailed")


def test_non_determinism_is_reported() -> None:
    """Keys with two different values make Deterministic False; otherwise it is absent."""
    outcome = run_outcome(non_deterministic=("a" * 64,))
    found = written_status(build.running(status={"outcome": outcome}))
    assert states(found)["Deterministic"] == ("False", "NonDeterministic")
    assert states(found)["Succeeded"][0] == "True"
    assert "Deterministic" not in states(build.running().workplan.status)


def test_results_in_the_store_end_a_run_without_a_runner() -> None:
    """Results found by the resolution are written once, and no older status after them."""
    observed = build.replace(
        build.running(), runner=None, cluster=None, scheduler=None, pods=(), resolution=FULLY_CACHED
    )
    parts = [
        a.part for a in decided_actions(observed, later(9)) if isinstance(a, WriteRunnerStatus)
    ]
    assert parts == [FULLY_CACHED.final_status]


def test_known_results_that_are_not_as_expected_fail() -> None:
    """The results are delivered, and kstatus finds a stalled resource, as after a runner."""
    resolution = replace(FULLY_CACHED, unmet="n: expected 2, found 8")
    actions = decided_actions(build.applied(resolution=resolution), later(9))
    written = [a.part for a in actions if isinstance(a, WriteOperatorStatus)]
    assert (FULLY_CACHED.final_status or {}).items() <= written[0].items()
    found = written_status(build.applied(resolution=resolution), later(9))
    assert states(found)["Stalled"] == ("True", "ExpectationFailed")
    assert states(found)["Succeeded"] == ("False", "ExpectationFailed")
    assert found.message == "n: expected 2, found 8"


def test_end_never_changes() -> None:
    """After an edit of a finished WorkPlan only observedGeneration changes."""
    observed = build.with_operator_status(build.applied(resolution=FULLY_CACHED))
    observed = build.replace(build.with_spec(observed, suspend=True), resolution=Unresolved())
    found = written_status(observed, later(500))
    assert found.observed_generation == 2
    assert states(found) == states(observed.workplan.status)
    assert found.completion_time == observed.workplan.status.completion_time
    assert found.duration == observed.workplan.status.duration
    assert not child_actions(observed)
