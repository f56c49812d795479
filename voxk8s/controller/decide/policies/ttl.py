"""Time to live: a finished WorkPlan is deleted after a while, its results never.

Kubernetes deletes the accounts and policies of a run with its WorkPlan, so this waits for its pods.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from voxk8s.api.conditions import is_condition
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.constants import SUCCEEDED
from voxk8s.controller.decide.policies import release
from voxk8s.controller.observe.observed import Observed

CLEANUP_LIMIT = timedelta(minutes=10)
"""Time that the deletion waits for children to be gone: a pod of a lost node may never end."""


def seconds_left(workplan: WorkPlanResource, now: datetime) -> float | None:
    """Return the seconds until a finished WorkPlan is to be deleted; None if it is kept."""
    end = workplan.status.completion_time
    if end is None:
        return None
    ttl = workplan.spec.time_to_live(is_condition(workplan.status.conditions, SUCCEEDED, "True"))
    if ttl is None:
        return None
    return max(0.0, (end + timedelta(seconds=ttl) - now).total_seconds())


def is_over(observed: Observed, now: datetime) -> bool:
    """Whether a WorkPlan can be deleted: its time is over, and nothing of its run is alive.

    A cluster that is kept after a failure is alive, and what is left of it has its own time to go.
    """
    workplan, limit = observed.workplan, now - CLEANUP_LIMIT
    if seconds_left(workplan, now) != 0:
        return False
    if observed.access is None and not release.has_active_children(observed, now):
        return True
    failed = is_condition(workplan.status.conditions, SUCCEEDED, "False")
    kept = release.seconds_kept(workplan, limit) if failed else 0.0
    return seconds_left(workplan, limit) == 0 and kept == 0
