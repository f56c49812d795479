"""Suspension: time spent suspended does not count against deadlines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from voxk8s.api import WorkPlanResource


@dataclass(frozen=True, slots=True)
class Suspension:
    """Since when the WorkPlan is suspended, and the seconds of suspensions that are over."""

    since: datetime | None
    past_seconds: float

    def seconds(self, now: datetime) -> float:
        """Give all seconds spent suspended so far."""
        present = (now - self.since).total_seconds() if self.since else 0.0
        return self.past_seconds + max(0.0, present)


def suspension(workplan: WorkPlanResource, now: datetime) -> Suspension:
    """Follow `spec.suspend` from what the status remembers."""
    status = workplan.status
    past = status.suspended_seconds or 0.0
    if workplan.spec.suspend:
        return Suspension(status.suspend_time or now.replace(microsecond=0), past)
    if status.suspend_time is not None:
        past += max(0.0, (now - status.suspend_time).total_seconds())
    return Suspension(None, round(past, 3))


def active_time(workplan: WorkPlanResource, now: datetime) -> timedelta:
    """Give the time since acceptance, without suspensions, up to now or the end."""
    status = workplan.status
    if status.start_time is None:
        return timedelta(0)
    end = status.completion_time or now
    spent = suspension(workplan, end).seconds(end)
    return max(timedelta(0), end - status.start_time - timedelta(seconds=spent))
