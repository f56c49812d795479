"""Each condition function alone."""

from __future__ import annotations

import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import run_outcome
from tests.unit.controller.observed_builders import COUNTS, START, WORK_LEFT, later
from voxk8s.api.status import ConditionStatus, Waiting
from voxk8s.controller.decide import conditions
from voxk8s.controller.decide.conditions import ConditionState, condition_states
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolved, Resolving

AWAY = Blocked("StoreUnreachable", "no answer", later(5))
FAILED = PhaseState(Phase.FAILED, "OperationFailed", "why")
RUNNING = PhaseState(Phase.RUNNING, "Progressing", "why")
SUCCEEDED = PhaseState(Phase.SUCCEEDED, "AllGoalsReached", "why")


def in_phase(phase: Phase) -> PhaseState:
    """Make a phase state."""
    return PhaseState(phase, "Reason", "why")


@pytest.mark.parametrize("phase", list(Phase))
def test_reconciling(phase: Phase) -> None:
    """Reconciling is False exactly after the end, with reason and message of the phase."""
    ended = phase in (Phase.SUCCEEDED, Phase.FAILED)
    found = conditions.reconciling(in_phase(phase))
    assert found == ConditionState("False" if ended else "True", "Reason", "why")


@pytest.mark.parametrize("phase", list(Phase))
def test_stalled(phase: Phase) -> None:
    """Stalled is True exactly after a failure."""
    found = conditions.stalled(in_phase(phase))
    assert found.status == ("True" if phase is Phase.FAILED else "False")


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        (Phase.PENDING, "False"),
        (Phase.RESOLVING, "Unknown"),
        (Phase.STARTING, "Unknown"),
        (Phase.RUNNING, "Unknown"),
        (Phase.SUSPENDED, "False"),
        (Phase.SUCCEEDED, "True"),
        (Phase.FAILED, "False"),
    ],
)
def test_ready(phase: Phase, status: str) -> None:
    """Ready is True after success, and False after failure or while the WorkPlan waits."""
    assert conditions.ready(in_phase(phase)).status == status


@pytest.mark.parametrize("phase", list(Phase))
def test_succeeded(phase: Phase) -> None:
    """Succeeded is Unknown until the end."""
    expected = {Phase.SUCCEEDED: "True", Phase.FAILED: "False"}.get(phase, "Unknown")
    assert conditions.succeeded(in_phase(phase)).status == expected


@pytest.mark.parametrize("resolution", [AWAY, Resolving(AWAY)])
def test_store_ready_while_the_operator_cannot_reach_it(resolution: Blocked | Resolving) -> None:
    """A store that blocks the resolution is not ready, also during the next attempt."""
    found = conditions.store_ready(build.applied(resolution=resolution))
    assert found == ConditionState("False", "StoreUnreachable", "no answer")


def test_store_ready_after_the_resolution() -> None:
    """A store that was checked is ready; a message about conditional writes is its reason."""
    found = conditions.store_ready(build.applied(resolution=Resolved()))
    assert (found.status, found.reason) == ("True", "StoreConnected")
    message = "The store ignores conditional writes"
    found = conditions.store_ready(build.applied(resolution=Resolved(store_message=message)))
    assert found == ConditionState("True", "ConditionalWritesUnsupported", message)


def test_store_ready_by_the_runner() -> None:
    """What an active runner reports takes precedence; without any report it is Unknown."""
    waiting = Waiting(reason="StoreAccessDenied", message="wrong key")
    observed = build.running(status={"waiting": waiting})
    found = conditions.store_ready(observed)
    assert found == ConditionState("False", "StoreAccessDenied", "wrong key")
    unchecked = Resolved(store_checked=False)
    found = conditions.store_ready(build.applied(resolution=unchecked))
    assert (found.status, found.reason) == ("Unknown", "Accepted")
    resource = build.workplan(operations=COUNTS)
    observed = build.applied(workplan=resource, resolution=unchecked, runner=build.job())
    assert conditions.store_ready(observed).reason == "StoreConnected"


def test_cluster_ready_while_starting() -> None:
    """Without children the cluster is Unknown; without a scheduler it is not ready."""
    starting = in_phase(Phase.STARTING)
    observed = build.applied(resolution=WORK_LEFT)
    found = conditions.cluster_ready(observed, starting, START)
    assert (found.status, found.reason) == ("Unknown", "ClusterStarting")
    observed = build.replace(observed, cluster=build.cluster())
    found = conditions.cluster_ready(observed, starting, START)
    assert (found.status, found.reason) == ("False", "ClusterStarting")


def test_cluster_ready_while_running() -> None:
    """An available scheduler makes the cluster ready; one that disappeared is SchedulerLost."""
    observed = build.running()
    found = conditions.cluster_ready(observed, RUNNING, START)
    assert (found.status, found.reason) == ("True", "ClusterRunning")
    lost = build.replace(observed, scheduler=build.scheduler(available=0), pods=())
    found = conditions.cluster_ready(lost, RUNNING, START)
    assert (found.status, found.reason) == ("False", "SchedulerLost")


@pytest.mark.parametrize(("ready", "status"), [(True, "True"), (False, "False")])
def test_cluster_ready_after_out_of_memory(ready: bool, status: ConditionStatus) -> None:
    """A pod that ran out of memory is reported; the cluster is ready if a worker is."""
    problems = (build.problem("OutOfMemory", "limit 1Gi"),)
    observed = build.running(pods=(build.pod(ready=ready, problems=problems),))
    found = conditions.cluster_ready(observed, RUNNING, START)
    assert found == ConditionState(status, "OutOfMemory", "limit 1Gi")


@pytest.mark.parametrize(
    ("observed", "state", "reason"),
    [
        pytest.param(build.applied(), SUCCEEDED, "ClusterNotNeeded", id="cached"),
        pytest.param(build.applied(), FAILED, "ClusterNotNeeded", id="failed before"),
        pytest.param(build.running(), SUCCEEDED, "ClusterReleased", id="after a run"),
        pytest.param(build.running(), in_phase(Phase.SUSPENDED), "Suspended", id="suspended"),
        pytest.param(build.applied(), in_phase(Phase.RESOLVING), "Accepted", id="resolving"),
        pytest.param(
            build.applied(cluster=build.cluster(deleting=later(-60))),
            SUCCEEDED, "DaskOperatorMissing", id="not deleted",
        ),
    ],
)  # fmt: skip
def test_cluster_ready_without_a_cluster(
    observed: Observed, state: PhaseState, reason: str
) -> None:
    """In a phase that needs no cluster the reason says why there is none."""
    found = conditions.cluster_ready(observed, state, START)
    assert found.reason == reason
    assert found.status == ("Unknown" if reason == "Accepted" else "False")


def test_cluster_ready_keeps_the_cause_of_a_failure() -> None:
    """After a failure the problem of the cluster is kept."""
    bad = build.pod(ready=False, problems=(build.problem("Unschedulable", "no node"),))
    observed = build.with_operator_status(build.running(pods=(bad,)))
    found = conditions.cluster_ready(build.replace(observed, pods=()), FAILED, START)
    assert found == ConditionState("False", "Unschedulable", "no node")


def test_deterministic() -> None:
    """Deterministic exists only if keys have two values, and names the first ones."""
    assert conditions.deterministic(build.running()) is None
    outcome = run_outcome(non_deterministic=("a" * 64, "b" * 64))
    found = conditions.deterministic(build.running(status={"outcome": outcome}))
    assert found is not None
    assert (found.status, found.reason) == ("False", "NonDeterministic")
    assert found.message.startswith("2 operations")
    assert f"{'a' * 12}, {'b' * 12}" in found.message


def test_absent_conditions_are_left_out() -> None:
    """The conditions are in the order of the status, without those that have no state."""
    assert list(condition_states(build.running(), RUNNING, START)) == [
        "Reconciling", "Stalled", "Ready", "Succeeded", "StoreReady", "ClusterReady",
    ]  # fmt: skip
