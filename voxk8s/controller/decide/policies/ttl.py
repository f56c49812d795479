"""Time to live: a finished WorkPlan is deleted after a while, its results never."""

from __future__ import annotations

from datetime import datetime, timedelta

from voxk8s.api.conditions import is_condition
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.constants import SUCCEEDED


def seconds_left(workplan: WorkPlanResource, now: datetime) -> float | None:
    """Return the seconds until a finished WorkPlan is to be deleted; None if it is kept."""
    end = workplan.status.completion_time
    if end is None:
        return None
    ttl = workplan.spec.time_to_live(is_condition(workplan.status.conditions, SUCCEEDED, "True"))
    if ttl is None:
        return None
    return max(0.0, (end + timedelta(seconds=ttl) - now).total_seconds())
