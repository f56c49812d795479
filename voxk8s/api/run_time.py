"""How long a run has been active: from its start to now or to its end, without suspensions. Pure.

Nothing writes a time that grows: whoever shows it computes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from voxk8s.api.workplan import WorkPlanResource


@dataclass(frozen=True, slots=True)
class Suspension:
    """The start of the current suspension, if any, and the total seconds of earlier ones."""

    since: datetime | None
    past_seconds: float

    def seconds(self, now: datetime) -> float:
        """Return the total seconds spent suspended."""
        current = (now - self.since).total_seconds() if self.since else 0.0
        return self.past_seconds + max(0.0, current)


def suspension(workplan: WorkPlanResource, now: datetime) -> Suspension:
    """Return the suspension from `spec.suspend` and what the status recorded before."""
    status = workplan.status
    past = status.suspended_seconds or 0.0
    if workplan.spec.suspend:
        return Suspension(status.suspend_time or now.replace(microsecond=0), past)
    if status.suspend_time is not None:
        past += max(0.0, (now - status.suspend_time).total_seconds())
    return Suspension(None, round(past, 3))


def active_time(workplan: WorkPlanResource, now: datetime) -> timedelta:
    """Return the time from the start to now or to the end, without suspensions."""
    status = workplan.status
    if status.start_time is None:
        return timedelta(0)
    end = status.completion_time or now
    suspended = suspension(workplan, end).seconds(end)
    return max(timedelta(0), end - status.start_time - timedelta(seconds=suspended))


def duration_text(time: timedelta) -> str:
    """Return a time as `12s`, `1m15s` or `1h01m`."""
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{seconds:02}s" if minutes else f"{seconds}s"
