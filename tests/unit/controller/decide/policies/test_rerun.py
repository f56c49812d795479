"""Another run of a finished WorkPlan."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import decided_actions, run_outcome, states
from tests.unit.controller.observed_builders import later
from voxk8s.api.status import GoalResult
from voxk8s.api.workplan import decode_status
from voxk8s.controller.decide.actions import (
    ChildKind,
    DeleteChild,
    EmitEvent,
    RestartRun,
    needs_live_read,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Unresolved


def annotated(observed: Observed, token: str) -> Observed:
    """Set the annotation, as a user or GitOps does."""
    resource = observed.workplan
    metadata = msgspec.structs.replace(resource.metadata, annotations={"voxk8s.io/retry": token})
    return build.replace(observed, workplan=msgspec.structs.replace(resource, metadata=metadata))


def failed(**changes: object) -> Observed:
    """Make a run that has failed; only the runner's Job is left."""
    outcome = run_outcome("Failed", "OperationFailed", message="no")
    counts = msgspec.structs.replace(build.COUNTS, failed=1)
    parts = {
        "outcome": outcome,
        "operations": counts,
        "results": (GoalResult(goal="a", kind="print", value=1),),
    }
    observed = build.running(status=parts, runner=build.job(complete=True, ended=later(1)))
    observed = build.with_operator_status(observed, later(2), **parts, progress="5/12")
    gone: dict[str, Any] = {
        "cluster": None,
        "autoscaler": None,
        "scheduler": None,
        "worker_group": None,
    }
    gone |= {"pods": (), "workers": (), "access": None, "resolution": Unresolved()}
    return build.replace(observed, **{**gone, **changes})


def test_the_last_run_is_cleared_away_first() -> None:
    """Its Job would end the new run at once, so it is deleted before the status is reset."""
    observed = annotated(failed(), "1")
    assert decided_actions(observed, later(60)) == (
        DeleteChild(ChildKind.RUNNER, "j", "u-j", "Retry"),
    )
    deleting = build.replace(observed, runner=build.job(complete=True, deleting=True))
    assert decided_actions(deleting, later(60)) == ()


def test_the_status_is_that_of_a_new_workplan() -> None:
    """Nothing of the last run is left in it, and kstatus is in progress again."""
    observed = annotated(failed(runner=None), "1")
    restart, event = decided_actions(observed, later(60))
    assert isinstance(restart, RestartRun)
    assert needs_live_read(restart)
    status = decode_status(restart.part)
    assert (status.phase, status.start_time, status.completion_time) == (
        "Resolving", later(60), None,
    )  # fmt: skip
    assert (status.duration, status.runner, status.cluster) == (None, None, None)
    assert states(status)["Reconciling"] == ("True", "Accepted")
    assert states(status)["Succeeded"] == ("Unknown", "Accepted")
    assert states(status)["Stalled"][0] == "False"
    assert isinstance(event, EmitEvent)
    assert "voxk8s.io/retry" in event.message


def test_once_for_each_value() -> None:
    """A value that the run began with, or that was acted on, asks for nothing."""
    new = build.with_operator_status(annotated(build.applied(), "1"))
    assert new.workplan.status.retry == "1"
    ended = annotated(failed(runner=None), "1")
    status = msgspec.structs.replace(ended.workplan.status, retry="1")
    assert decided_actions(build.with_status(ended, status), later(60)) == ()
    again = annotated(build.with_status(ended, status), "2")
    assert any(isinstance(action, RestartRun) for action in decide(again, later(60)))


def test_a_run_that_lasts_is_not_disturbed() -> None:
    """A value that is set during a run waits for its end, and causes no write."""
    observed = build.with_operator_status(build.running(), later(5))
    assert decided_actions(annotated(observed, "1"), later(6)) == ()
