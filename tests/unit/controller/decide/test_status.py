"""The operator's part of the status."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import FULLY_CACHED, START, later
from voxk8s.api.runner_status import RUNNER_FIELDS
from voxk8s.controller.decide import status
from voxk8s.controller.decide.derive_phase import derive_phase
from voxk8s.controller.decide.phase import Phase, PhaseState

RUNNING = PhaseState(Phase.RUNNING, "Progressing", "why")


def test_runner_fields_are_left_out() -> None:
    """The operator never writes a field of the runner."""
    found = status.operator_status(build.running(), RUNNING, later(20))
    assert {name: getattr(found, name) for name in RUNNER_FIELDS} == dict.fromkeys(RUNNER_FIELDS)


def test_cluster_and_runner() -> None:
    """The status names cluster and runner; after the end it counts no workers."""
    observed = build.running(dashboard="http://c-scheduler:8787/status")
    found = status.operator_status(observed, RUNNING, later(20))
    assert found.cluster is not None
    assert (found.cluster.name, found.cluster.workers) == ("c", 1)
    assert found.runner is not None
    assert (found.runner.job, found.runner.attempts) == ("j", 1)
    ended = PhaseState(Phase.SUCCEEDED, "AllGoalsReached", "")
    found = status.operator_status(build.with_status(observed, found), ended, later(30))
    assert found.cluster is not None
    assert (found.cluster.workers, found.cluster.dashboard_url) == (0, None)


@pytest.mark.parametrize(
    ("seconds", "duration"), [(14, None), (29, "15s"), (75, "1m15s"), (3700, "1h01m")]
)
def test_duration_advances_by_the_heartbeat(seconds: int, duration: str | None) -> None:
    """While the run is active the duration has steps of 15 s."""
    observed = build.with_operator_status(build.applied())
    found = status.operator_status(observed, RUNNING, later(seconds))
    assert found.duration == duration


def test_long_messages_are_truncated() -> None:
    """A message fits into the status."""
    state = PhaseState(Phase.FAILED, "InvalidPlan", "x" * 10_000)
    found = status.operator_status(build.applied(), state, START)
    assert len(found.message or "") == 4096
    assert (found.message or "").endswith("…")
    assert all(len(condition.message) <= 4096 for condition in found.conditions)


def test_order_of_conditions_is_no_change() -> None:
    """A status whose conditions the API server reordered has not changed."""
    observed = build.with_operator_status(build.applied(resolution=FULLY_CACHED))
    old = observed.workplan.status
    reordered = msgspec.structs.replace(old, conditions=old.conditions[::-1])
    new = status.operator_status(observed, derive_phase(observed, START), START)
    assert not status.has_changed(new, reordered)
    assert status.has_changed(msgspec.structs.replace(new, phase="Other"), reordered)


def test_observed_generation_is_always_encoded() -> None:
    """The generation is written even if it has its default."""
    assert "observedGeneration" in status.encode_status(build.workplan().status)


def test_stopped_run_has_no_running_operations() -> None:
    """Running operations of a runner that is gone become pending; other fields are kept."""
    observed = build.running(status={"run_url": "s3://r/runs/x"})
    assert status.stopped_run_status(observed) is None
    part = status.stopped_run_status(build.replace(observed, runner=None))
    assert part is not None
    assert (part["operations"]["running"], part["operations"]["pending"]) == (0, 7)
    assert part["runURL"] == "s3://r/runs/x"
