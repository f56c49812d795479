"""Which transitions of conditions emit events."""

from __future__ import annotations

from tests.unit.controller.observed_builders import START
from voxk8s.api.conditions import set_condition
from voxk8s.api.status import WorkPlanStatus
from voxk8s.controller.decide.actions import EmitEvent
from voxk8s.controller.decide.kube_events import events
from voxk8s.controller.decide.phase import Phase, PhaseState


def with_conditions(**conditions: tuple[str, str]) -> WorkPlanStatus:
    """Make a status with conditions, by their status and reason."""
    found: WorkPlanStatus = WorkPlanStatus()
    made = found.conditions
    for kind, (status, reason) in conditions.items():
        made = set_condition(made, kind, status, reason, "why", now=START, generation=1)  # type: ignore[arg-type]  # one of three
    return WorkPlanStatus(conditions=made)


def emitted(
    old: WorkPlanStatus, new: WorkPlanStatus, phase: Phase = Phase.RUNNING
) -> list[EmitEvent]:
    """Return the events of a transition."""
    return list(events(old, new, PhaseState(phase, "Reason", "why")))


def test_new_reason_of_ready() -> None:
    """A new reason of Ready is an event: a warning if the WorkPlan waits or failed."""
    old, new = with_conditions(Ready=("Unknown", "Accepted")), with_conditions(Ready=("False", "X"))
    assert emitted(old, new, Phase.PENDING) == [EmitEvent(True, "X", "why")]
    assert emitted(old, new, Phase.SUSPENDED) == [EmitEvent(False, "X", "why")]
    assert emitted(new, new) == []


def test_acceptance_is_in_the_status_only() -> None:
    """Of many WorkPlans that are applied at once an event each would be a fifth of all writes."""
    assert emitted(WorkPlanStatus(), with_conditions(Ready=("Unknown", "Accepted"))) == []


def test_reason_is_emitted_once() -> None:
    """A reason that several conditions share is one event."""
    new = with_conditions(
        Ready=("False", "StoreUnreachable"), StoreReady=("False", "StoreUnreachable")
    )
    assert [event.reason for event in emitted(WorkPlanStatus(), new)] == ["StoreUnreachable"]


def test_recovery_of_the_store() -> None:
    """A connected store is an event only after it was not ready."""
    connected = with_conditions(StoreReady=("True", "StoreConnected"))
    assert emitted(WorkPlanStatus(), connected) == []
    away = with_conditions(StoreReady=("False", "StoreUnreachable"))
    assert [event.reason for event in emitted(away, connected)] == ["StoreConnected"]


def test_normal_states_of_the_cluster() -> None:
    """The normal life of a cluster emits nothing; a problem is a warning."""
    starting = with_conditions(ClusterReady=("Unknown", "ClusterStarting"))
    assert emitted(WorkPlanStatus(), starting) == []
    problem = with_conditions(ClusterReady=("False", "Unschedulable"))
    assert emitted(starting, problem) == [EmitEvent(True, "Unschedulable", "why")]
