"""How a run ends: by its outcome, by an invalid plan, or by a runner that gave up."""

from __future__ import annotations

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
    WriteRunnerStatus,
)
from voxk8s.controller.resolve.resolution_state import Invalid, Unresolved


def test_failed_goals_stall() -> None:
    """Failed goals end the run Stalled, with the runner's reason and words."""
    outcome = run_outcome("Failed", "OperationFailed", message="1 of 2 goals failed: no such image")
    status = written_status(build.running(status={"outcome": outcome}))
    assert states(status)["Stalled"] == ("True", "OperationFailed")
    assert states(status)["Succeeded"] == ("False", "OperationFailed")
    assert states(status)["Ready"] == ("False", "OperationFailed")
    assert status.message == outcome.message


def test_memory_is_named_in_a_failure() -> None:
    """A failure of a run with a worker killed for memory says so."""
    killed = build.pod(problems=(build.problem("OutOfMemory", "killed for memory"),))
    outcome = run_outcome("Failed", "OperationFailed", message="lost workers.")
    observed = build.running(status={"outcome": outcome}, pods=(killed,))
    assert written_status(observed).message == "lost workers. killed for memory"


@pytest.mark.parametrize(
    "reason", [constants.REASON_INVALID_PLAN, constants.REASON_INPUT_NOT_ALLOWED]
)
def test_invalid_plan_is_terminal(reason: str) -> None:
    """An invalid plan stalls at once, with its path, and no child is ever made."""
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


def test_runner_that_gets_no_pod() -> None:
    """What the API server said is told at once; without a word of it, where to look."""
    alone = build.running(runner=build.job(attempts=0), pods=())
    refused = build.replace(alone, runner_pod_error="exceeded quota: q")
    reason, message = cluster_ready(refused, later(1))
    assert (reason, message.endswith("exceeded quota: q")) == ("PodRejected", True)
    reason, message = cluster_ready(alone, later(10))
    assert (reason, "kubectl describe job/j" in message) == ("PodRejected", True)


def test_runner_that_failed_for_good() -> None:
    """A failed Job ends the WorkPlan with the pod's last words."""
    broken = build.job(failed=True, attempts=4, message="exit 1: no route")
    found = written_status(build.running(runner=broken))
    assert states(found)["Stalled"] == ("True", "RunnerFailed")
    assert "no route" in (found.message or "")


def test_runner_that_is_started_again() -> None:
    """A runner that failed before is told of while the next one works."""
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


def test_runner_that_completed_in_silence() -> None:
    """A complete Job without an outcome is given time, then called a failure."""
    silent = build.job(complete=True, ended=START)
    observed = build.running(runner=silent)
    assert (
        states(build.with_operator_status(observed, later(5)).workplan.status)["Succeeded"][0]
        == "Unknown"
    )
    found = written_status(observed, later(20))
    assert states(found)["Stalled"] == ("True", "RunnerFailed")


def test_non_determinism_is_told() -> None:
    """Keys that gave two values make Deterministic False; otherwise it is not there."""
    outcome = run_outcome(non_deterministic=("a" * 64,))
    found = written_status(build.running(status={"outcome": outcome}))
    assert states(found)["Deterministic"] == ("False", "NonDeterministic")
    assert states(found)["Succeeded"][0] == "True"
    assert "Deterministic" not in states(build.running().workplan.status)


def test_results_found_in_the_store_end_a_run_that_lost_its_runner() -> None:
    """What a look-up finds is written once, and nothing older after it."""
    observed = build.replace(
        build.running(), runner=None, cluster=None, scheduler=None, pods=(), resolution=FULLY_CACHED
    )
    parts = [
        a.part for a in decided_actions(observed, later(9)) if isinstance(a, WriteRunnerStatus)
    ]
    assert parts == [FULLY_CACHED.final_status]


def test_end_never_changes() -> None:
    """A finished WorkPlan only takes note of a new spec; its end stays as it is."""
    observed = build.with_operator_status(build.applied(resolution=FULLY_CACHED))
    observed = build.replace(build.with_spec(observed, suspend=True), resolution=Unresolved())
    found = written_status(observed, later(500))
    assert found.observed_generation == 2
    assert states(found) == states(observed.workplan.status)
    assert found.completion_time == observed.workplan.status.completion_time
    assert found.duration == observed.workplan.status.duration
    assert not child_actions(observed)
