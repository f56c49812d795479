"""Another run of a finished WorkPlan."""

from __future__ import annotations

from typing import Any

import msgspec
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
from tests.unit.controller.observed_builders import later
from voxk8s.api.runner_status import RUNNER_FIELDS
from voxk8s.api.spec import Source, WorkPlanSpec
from voxk8s.api.status import GoalResult, WorkPlanStatus
from voxk8s.api.workplan import decode_status
from voxk8s.controller.decide.actions import (
    ChildKind,
    DeleteChild,
    EmitEvent,
    RequeueAfter,
    ResolvePlan,
    RestartRun,
    WriteOperatorStatus,
    needs_live_read,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.observe.workplan_codec import UndecodableWorkPlan
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


def asked(**changes: object) -> Observed:
    """Make a failed run that is asked to run again; its status says so."""
    observed = annotated(failed(**changes), "1")
    return build.with_status(observed, announced(observed))


def announced(observed: Observed, seconds: float = 60) -> WorkPlanStatus:
    """Return the status that is written when another run is asked for; the runner's part stays."""
    old = observed.workplan.status
    kept = {name: getattr(old, name) for name in RUNNER_FIELDS}
    return msgspec.structs.replace(written_status(observed, later(seconds)), **kept)


def test_the_status_says_at_once_that_it_runs_again() -> None:
    """Before anything is deleted it is in progress, which only the API server's state decides."""
    observed = annotated(failed(), "1")
    write, event, delete = decided_actions(observed, later(60))
    assert isinstance(write, WriteOperatorStatus)
    assert needs_live_read(write, current=True)
    assert delete == DeleteChild(ChildKind.RUNNER, "j", "u-j", "Retry")
    assert isinstance(event, EmitEvent)
    assert "voxk8s.io/retry" in event.message
    status = announced(observed)
    found = {kind: word for kind, (word, _) in states(status).items()}
    assert (found["Reconciling"], found["Stalled"]) == ("True", "False")
    assert (found["Ready"], found["Succeeded"]) == ("Unknown", "Unknown")
    assert (status.phase, status.reason, status.retry) == ("Resolving", "Retry", "1")
    assert (status.completion_time, status.start_time, status.duration) == (None, None, None)


def test_what_keeps_the_next_run_from_starting_is_reported() -> None:
    """However long it takes: the finalizer of a dask operator that is gone, a pod, a Job."""
    stuck = asked(cluster=build.cluster(deleting=later(10)), runner=None)
    for seconds in (61, 600, 86400):
        assert not any(isinstance(a, RestartRun) for a in decide(stuck, later(seconds)))
        assert RequeueAfter(2.0) in decide(stuck, later(seconds))
    status = written_status(
        annotated(failed(cluster=build.cluster(deleting=later(10))), "1"), later(60)
    )
    assert states(status)["ClusterReady"] == ("False", "DaskOperatorMissing")
    left = asked(live_pods=(build.pod(),), access=build.access(), runner=None)
    reason, message = cluster_ready(annotated(failed(live_pods=(build.pod(),)), "1"), later(60))
    assert reason == "Retry"
    assert "Job j, pods that have not ended (kubectl get pods -l voxk8s.io/workplan=wp)" in message
    assert decided_actions(left, later(61)) == ()


@pytest.mark.parametrize(
    "left",
    [
        {"live_pods": (build.pod(),)},
        {"runner": build.job(complete=True, deleting=True)},
        {"access": build.access(deleting=True)},
        {"extra_clusters": (build.cluster(deleting=later(60)),)},
    ],
    ids=lambda left: next(iter(left)),
)
def test_nothing_starts_while_something_is_left(left: dict[str, Any]) -> None:
    """A pod of the last run would end the next one, and its policies are of another spec."""
    observed = asked(**{"runner": None, **left})
    assert not any(isinstance(action, RestartRun) for action in decide(observed, later(61)))
    assert any(isinstance(a, RestartRun) for a in decide(asked(runner=None), later(61)))


def test_all_of_the_last_run_is_deleted() -> None:
    """A kept cluster and a runner that hangs, too; the access when no pod needs it any more."""
    observed = asked(
        cluster=build.cluster(), runner=build.job(), access=build.access(), live_pods=(build.pod(),)
    )
    found = child_actions(observed, later(61))
    kinds = [action.kind for action in found if isinstance(action, DeleteChild)]
    assert kinds == [ChildKind.CLUSTER, ChildKind.RUNNER]
    observed = asked(runner=build.job(complete=True, deleting=True), access=build.access())
    deletion = DeleteChild(ChildKind.ACCESS, "a", "u-a", "Retry")
    assert child_actions(observed, later(61)) == (deletion,)


def test_the_status_is_that_of_a_new_workplan() -> None:
    """Nothing of the last run is left in it, and kstatus is still in progress."""
    (restart,) = decided_actions(asked(runner=None), later(90))
    assert isinstance(restart, RestartRun)
    assert needs_live_read(restart, current=True)
    status = decode_status(restart.part)
    assert (status.phase, status.start_time, status.completion_time) == (
        "Resolving", later(90), None,
    )  # fmt: skip
    assert (status.duration, status.runner, status.cluster) == (None, None, None)
    assert states(status)["Reconciling"] == ("True", "Accepted")
    assert states(status)["Succeeded"] == ("Unknown", "Accepted")
    assert states(status)["Stalled"][0] == "False"
    begun = build.with_status(asked(runner=None), status)
    assert decided_actions(begun, later(90)) == (ResolvePlan(),)


def test_the_last_outcome_does_not_end_the_next_run() -> None:
    """Neither a spec that cannot be read nor a fault of the operator brings the last end back."""
    observed = asked(runner=None)
    unreadable = msgspec.structs.asdict(observed.workplan)
    unreadable["spec"] = WorkPlanSpec(Source())
    plan = UndecodableWorkPlan(**unreadable, decode_error="$.spec.priority")
    status = written_status(build.replace(observed, workplan=plan), later(61))
    assert states(status)["Succeeded"] == ("Unknown", "Retry")
    assert states(status)["ClusterReady"] == ("Unknown", "SpecNotReadable")


def test_a_value_acts_when_it_differs_from_the_last_one() -> None:
    """As with kubectl rollout restart: one that the status has asks for nothing, any other does."""
    new = build.with_operator_status(annotated(build.applied(), "1"))
    assert new.workplan.status.retry == "1"
    ended = failed(runner=None)
    status = msgspec.structs.replace(ended.workplan.status, retry="2")
    ended = build.with_status(ended, status)
    assert decided_actions(annotated(ended, "2"), later(60)) == ()
    assert decided_actions(annotated(ended, "1"), later(60)) != ()
    assert decided_actions(ended, later(60)) == ()


def test_an_end_is_kept_until_what_exists_is_known() -> None:
    """Informers that are behind may show an end that another run has replaced long ago."""
    observed = build.replace(annotated(failed(), "1"), sync_error="pods cannot be listed")
    assert decided_actions(observed, later(60)) == ()


def test_a_run_that_lasts_is_not_disturbed() -> None:
    """A value that is set during a run waits for its end, and causes no write."""
    observed = build.with_operator_status(build.running(), later(5))
    assert decided_actions(annotated(observed, "1"), later(6)) == ()
