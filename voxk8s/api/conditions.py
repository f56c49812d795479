"""Reading and setting conditions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from voxk8s.api.status import Condition, ConditionStatus


def find_condition(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """Give the condition of a type, or None."""
    return next((condition for condition in conditions if condition.type == kind), None)


def is_condition(conditions: Iterable[Condition], kind: str, status: ConditionStatus) -> bool:
    """Say whether a condition of this type is there and has this status."""
    condition = find_condition(conditions, kind)
    return condition is not None and condition.status == status


def set_condition(
    conditions: tuple[Condition, ...],
    kind: str,
    status: ConditionStatus,
    reason: str,
    message: str,
    *,
    now: datetime,
    generation: int,
) -> tuple[Condition, ...]:
    """Put a condition in its place, or at the end.

    The time of the last transition is kept while the status stays the same, so a condition that
    says nothing new is equal to the old one.
    """
    old = find_condition(conditions, kind)
    since = old.last_transition_time if old and old.status == status else now.replace(microsecond=0)
    new = Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=since,
        observed_generation=generation,
    )
    if old is None:
        return (*conditions, new)
    return tuple(new if condition.type == kind else condition for condition in conditions)


def remove_condition(conditions: tuple[Condition, ...], kind: str) -> tuple[Condition, ...]:
    """Leave out the condition of a type."""
    return tuple(condition for condition in conditions if condition.type != kind)
