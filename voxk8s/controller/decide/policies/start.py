"""The children of a run that is to work: which are missing, and how many workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from voxk8s.api import OperationCounts, WorkPlanStatus, encode, progress_text
from voxk8s.controller.decide.actions import (
    Action,
    ApplyAutoscaler,
    CreateAccess,
    CreateCluster,
    CreateRunner,
    ResolvePlan,
)
from voxk8s.controller.decide.policies import recovery
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolved, Unresolved


def initial_workers(observed: Observed) -> int:
    """Give the number of workers to start with: what is left side by side, within limits.

    A width that only the runner will know counts as one worker: the autoscaler adds the others.
    """
    limits = observed.workplan.spec.cluster
    width = observed.resolution.width if isinstance(observed.resolution, Resolved) else None
    threads = limits.threads_per_worker
    wanted = 1 if width is None else -(-width // threads)
    return max(1, limits.min_workers, min(limits.max_workers, wanted))


def autoscaler_minimum(observed: Observed) -> int:
    """Give the least number of workers: the first ones until work reaches them.

    The autoscaler takes idle workers away within 5 s; until the runner has handed out work they
    all look idle.
    """
    limits = observed.workplan.spec.cluster
    counts = observed.workplan.status.operations
    begun = counts is not None and (counts.running > 0 or counts.computed > 0)
    if begun or observed.cluster is None:
        return limits.min_workers
    return max(limits.min_workers, min(limits.max_workers, observed.cluster.workers))


def initial_run_status(counts: OperationCounts, old: WorkPlanStatus) -> dict[str, Any] | None:
    """Give the runner's part of the status before a runner is there; None where it says so already.

    What an earlier runner had computed counts as cached, as far as the store holds it; progress
    never goes down.
    """
    progress = progress_text(old.progress, counts.cached, counts.total)
    if (old.operations, old.progress) == (counts, progress):
        return None
    return {"operations": encode(counts), "progress": progress}


def missing_children(observed: Observed, now: datetime) -> Iterator[Action]:
    """Give the actions that complete the children of a run."""
    wants_cluster = observed.cluster is None
    wants_runner = observed.runner is None
    if wants_cluster or wants_runner:
        match observed.resolution:
            case Resolved():
                yield CreateAccess()
            case Unresolved():
                # The operator restarted, or a child went away: find out anew what is left.
                yield ResolvePlan()
                return
            case Blocked(retry_at=retry_at) if retry_at <= now:
                yield ResolvePlan()
                return
            case _:
                return
    if wants_cluster and not recovery.awaits_new_credentials(observed):
        yield CreateCluster(initial_workers(observed))
    if wants_runner:
        yield CreateRunner()
    if not recovery.replacement_reason(observed, now):
        yield from _autoscaler(observed)
    yield from recovery.repairs(observed, now)


def _autoscaler(observed: Observed) -> Iterator[Action]:
    scheduler, cluster = observed.scheduler, observed.cluster
    if cluster is None or cluster.deleting or scheduler is None or scheduler.available < 1:
        return
    found = observed.autoscaler
    wanted = ApplyAutoscaler(
        autoscaler_minimum(observed), observed.workplan.spec.cluster.max_workers
    )
    if found is None or (found.minimum, found.maximum) != (wanted.minimum, wanted.maximum):
        yield wanted
