"""The phase that follows from an observation."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import run_outcome
from tests.unit.controller.observed_builders import COUNTS, FULLY_CACHED, START, WORK_LEFT, later
from voxk8s.api.status import Waiting, WorkPlanStatus
from voxk8s.controller.decide.derive_phase import derive_phase
from voxk8s.controller.decide.phase import Phase
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Invalid, Resolving, Unresolved

BLOCKED = Blocked("SourceUnavailable", "no ConfigMap", later(5))
WAITING = Waiting(reason="StoreUnreachable", message="away")
IDLE = {"operations": COUNTS}


@pytest.mark.parametrize(
    ("observed", "phase", "reason"),
    [
        pytest.param(build.applied(), Phase.RESOLVING, "Accepted", id="new"),
        pytest.param(
            build.applied(resolution=Resolving()), Phase.RESOLVING, "Accepted", id="resolving"
        ),
        pytest.param(
            build.applied(resolution=BLOCKED), Phase.PENDING, "SourceUnavailable", id="blocked"
        ),
        pytest.param(
            build.applied(resolution=Resolving(BLOCKED)),
            Phase.PENDING, "SourceUnavailable", id="retried",
        ),
        pytest.param(
            build.applied(resolution=WORK_LEFT), Phase.STARTING, "ClusterStarting", id="resolved"
        ),
        pytest.param(
            build.applied(resolution=FULLY_CACHED),
            Phase.SUCCEEDED, "AllGoalsReached", id="fully cached",
        ),
        pytest.param(
            build.applied(resolution=Invalid("InvalidPlan", "at $")),
            Phase.FAILED, "InvalidPlan", id="invalid",
        ),
        pytest.param(
            build.applied(workplan=build.workplan({"suspend": True})),
            Phase.SUSPENDED, "Suspended", id="suspended",
        ),
        pytest.param(build.running(), Phase.RUNNING, "Progressing", id="running"),
        pytest.param(
            build.running(resolution=Unresolved(), runner=None, pods=(), status=IDLE),
            Phase.STARTING, "ClusterStarting", id="restarted operator",
        ),
        pytest.param(
            build.running(status={"waiting": WAITING}),
            Phase.RUNNING, "StoreUnreachable", id="runner waits",
        ),
        pytest.param(
            build.running(status={"outcome": run_outcome("Failed", "OperationFailed")}),
            Phase.FAILED, "OperationFailed", id="failed",
        ),
    ],
)  # fmt: skip
def test_phase_of_an_observation(observed: Observed, phase: Phase, reason: str) -> None:
    """Each observation has one phase and reason."""
    found = derive_phase(observed, START)
    assert (found.phase, found.reason) == (phase, reason)


@pytest.mark.parametrize("phase", ["Queued", "Starting"])
@pytest.mark.parametrize("resolution", [Unresolved(), Resolving()])
def test_second_look_up_changes_nothing(phase: str, resolution: Unresolved | Resolving) -> None:
    """A plan that waits for its cluster keeps its phase while another operator looks it up."""
    status = WorkPlanStatus(phase=phase, reason="Why", message="Waits.")
    found = derive_phase(build.with_status(build.applied(resolution=resolution), status), START)
    assert (found.phase, found.reason, found.message) == (phase, "Why", "Waits.")


def test_message_while_starting() -> None:
    """The message says what is missing, and includes the worst problem."""
    observed = build.running(pods=(), status=IDLE)
    assert derive_phase(observed, START).message == "No worker is ready."
    fresh = build.with_status(
        observed, msgspec.structs.replace(observed.workplan.status, workers_ready_time=None)
    )
    bad = build.pod(ready=False, problems=(build.problem("Unschedulable", "no node"),))
    message = derive_phase(build.replace(fresh, pods=(bad,)), START).message
    assert message == "The Dask cluster is starting. no node"
    message = derive_phase(build.replace(fresh, pods=(build.pod(),)), START).message
    assert message == "The runner is starting."


def test_recorded_end_takes_precedence() -> None:
    """An end that the status reports is the phase, whatever else is observed."""
    ended = build.with_operator_status(build.applied(resolution=FULLY_CACHED))
    found = derive_phase(build.replace(ended, resolution=BLOCKED), later(9))
    assert (found.phase, found.recorded) == (Phase.SUCCEEDED, True)
