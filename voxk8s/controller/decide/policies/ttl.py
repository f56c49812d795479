"""Time to live: a finished WorkPlan goes after a while; its results never do."""

from __future__ import annotations

from datetime import datetime, timedelta

from voxk8s.api import WorkPlanResource, is_condition
from voxk8s.constants import SUCCEEDED


def seconds_left(workplan: WorkPlanResource, now: datetime) -> float | None:
    """Give the seconds until a finished WorkPlan is to be deleted; None: keep it."""
    end = workplan.status.completion_time
    if end is None:
        return None
    keep = workplan.spec.time_to_live(is_condition(workplan.status.conditions, SUCCEEDED, "True"))
    if keep is None:
        return None
    return max(0.0, (end + timedelta(seconds=keep) - now).total_seconds())
