"""Find, set and remove conditions, as apimachinery's `meta` package does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from voxk8s.api.status import Condition, ConditionStatus


def find_condition(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """Return the condition of type `kind`, or None."""
    return next((condition for condition in conditions if condition.type == kind), None)


def is_condition(conditions: Iterable[Condition], kind: str, status: ConditionStatus) -> bool:
    """Whether the condition of type `kind` exists and has this status."""
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
    """Return the conditions with one replaced, or appended.

    `lastTransitionTime` changes only with the status, so that an unchanged condition stays equal.
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
    """Return the conditions without the one of type `kind`."""
    return tuple(condition for condition in conditions if condition.type != kind)
