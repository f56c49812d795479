"""Setting and finding conditions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from voxk8s.api.conditions import find_condition, is_condition, remove_condition, set_condition
from voxk8s.api.status import Condition, ConditionStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def put(
    old: tuple[Condition, ...], status: ConditionStatus, now: datetime, message: str = "m"
) -> tuple[Condition, ...]:
    """Set the condition Ready."""
    return set_condition(old, "Ready", status, "Reason", message, now=now, generation=1)


def test_new_condition_is_appended_with_its_time() -> None:
    """A condition that was not there comes last, with whole seconds as Kubernetes writes them."""
    first = put((), "True", NOW)
    both = set_condition(first, "Stalled", "False", "Reason", "", now=LATER, generation=1)
    assert [condition.type for condition in both] == ["Ready", "Stalled"]
    assert first[0].last_transition_time == NOW.replace(microsecond=0)


def test_same_status_keeps_the_time_of_transition() -> None:
    """Another message is no transition, and the same words give an equal condition."""
    old = put((), "True", NOW)
    assert put(old, "True", LATER) == old
    assert put(old, "True", LATER, "other")[0].last_transition_time == old[0].last_transition_time


def test_other_status_is_a_transition() -> None:
    """A changed status takes the present time and stays in its place."""
    old = put((), "True", NOW)
    assert put(old, "False", LATER)[0].last_transition_time == LATER.replace(microsecond=0)


def test_finding_and_removing() -> None:
    """A condition is found by its type; one that is not there has no status."""
    conditions = put((), "True", NOW)
    assert find_condition(conditions, "Ready") is conditions[0]
    assert find_condition(conditions, "Stalled") is None
    assert is_condition(conditions, "Ready", "True")
    assert not is_condition(conditions, "Stalled", "False")
    assert remove_condition(conditions, "Ready") == ()
