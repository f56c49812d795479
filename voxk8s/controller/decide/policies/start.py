"""The children that a run needs: which are missing, and with how many workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from voxk8s.api.runner_status import encode_runner_status, progress_text
from voxk8s.api.status import OperationCounts, WorkPlanStatus
from voxk8s.cluster.placement import group_of_component
from voxk8s.controller.decide import actions
from voxk8s.controller.decide.policies import recovery
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolved, Unresolved


def initial_workers(observed: Observed) -> int:
    """Return the initial number of workers: as many as what is left keeps busy, within limits.

    If only the runner can determine that, it is one worker: the autoscaler adds others.
    """
    limits = observed.run_workplan.spec.cluster
    threads = observed.resolution.threads if isinstance(observed.resolution, Resolved) else None
    wanted = 1 if threads is None else -(-threads // limits.threads_per_worker)
    return max(1, limits.min_workers, min(limits.max_workers, wanted))


def wanted_workers(observed: Observed) -> tuple[int, int]:
    """Return the workers to ask quota for: as many as what is left keeps busy, and the fewest.

    If only the runner can determine that, it is the most that the WorkPlan allows.
    """
    limits = observed.workplan.spec.cluster
    least = max(1, limits.min_workers)
    if isinstance(observed.resolution, Resolved) and observed.resolution.threads is None:
        return max(least, limits.max_workers), least
    return initial_workers(observed), least


def wanted_groups(observed: Observed) -> dict[str, int]:
    """Return the workers of each other group that what is left needs, as Kueue admitted them."""
    if not isinstance(observed.resolution, Resolved):
        return {}
    admitted = {
        group: placement.count
        for component, placement in observed.placements.items()
        if (group := group_of_component(component)) is not None
    }
    found = {}
    for name, workers in observed.resolution.groups.items():
        most = admitted.get(name)
        found[name] = workers if most is None else min(workers, most)
    return found


def autoscaler_minimum(observed: Observed) -> int:
    """Return the minimum of the autoscaler: the initial workers until they have work.

    Before the runner submits tasks all workers are idle, and the autoscaler would remove them
    within 5 s.
    """
    limits = observed.run_workplan.spec.cluster
    if observed.computes or observed.cluster is None:
        return limits.min_workers
    return max(limits.min_workers, min(limits.max_workers, observed.cluster.workers))


def initial_run_status(counts: OperationCounts, old: WorkPlanStatus) -> dict[str, Any] | None:
    """Return the runner's part of the status before the runner starts; None if it is written.

    Where nothing is known yet, it would say no more than the runner does a moment later.

    What an earlier runner computed counts as cached if the store has it; progress never decreases.
    """
    if not counts.cached and old.operations is None:
        return None
    progress = progress_text(old.progress, counts.cached, counts.total)
    if (old.operations, old.progress) == (counts, progress):
        return None
    return encode_runner_status(operations=counts, progress=progress)


def missing_children(observed: Observed, now: datetime) -> Iterator[actions.Action]:
    """Yield the actions that create missing children and repair existing ones."""
    needs_cluster = observed.cluster is None
    needs_runner = observed.runner is None
    if needs_cluster or needs_runner:
        match observed.resolution:
            case Resolved() if needs_cluster and observed.queued:
                return  # It left its place when it could not be used.
            case Resolved():
                yield actions.CreateAccess()
            case Unresolved():
                # After a restart of the operator, or when a child is gone.
                yield actions.ResolvePlan()
                return
            case Blocked(retry_at=retry_at) if retry_at <= now:
                yield actions.ResolvePlan()
                return
            case _:
                return
    if needs_cluster and not recovery.awaits_new_credentials(observed):
        yield actions.CreateCluster(initial_workers(observed), wanted_groups(observed))
    if needs_runner:
        yield actions.CreateRunner()
    if not recovery.replacement_reason(observed, now):
        yield from _autoscaler(observed)
        yield from _worker_groups(observed)
    yield from recovery.repairs(observed, now)


def _worker_groups(observed: Observed) -> Iterator[actions.CreateWorkerGroup]:
    """Yield the creation of the groups that the cluster is to have and has not."""
    cluster = observed.cluster
    if cluster is None or cluster.deleting:
        return
    existing = {group.group for group in observed.worker_groups}
    for name, workers in cluster.groups.items():
        if name not in existing:
            yield actions.CreateWorkerGroup(name, workers)


def _autoscaler(observed: Observed) -> Iterator[actions.Action]:
    scheduler, cluster = observed.scheduler, observed.cluster
    if cluster is None or cluster.deleting or scheduler is None or scheduler.available < 1:
        return
    found = observed.autoscaler
    wanted = actions.ApplyAutoscaler(
        autoscaler_minimum(observed), observed.run_workplan.spec.cluster.max_workers
    )
    if found is None or (found.minimum, found.maximum) != (wanted.minimum, wanted.maximum):
        yield wanted
