"""Quota of Kueue: a run of a WorkPlan with a queue has pods only while its Workload is admitted.

The Workload is made after the look-up, and only if work is left. When Kueue takes the quota back,
the pods are deleted first, and then the reservation is cleared, as Kueue expects of those who own
Workloads: it gives the quota to others. What was computed is in the store, and the run resumes with
the next admission. The Workload is deleted when the run has ended and its last pod is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from voxk8s import constants
from voxk8s.cluster.placement import component_of_group
from voxk8s.controller.decide import actions
from voxk8s.controller.decide.actions import Action, ChildKind, DeleteChild
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import release
from voxk8s.controller.observe.observed import Observed, WorkloadView
from voxk8s.controller.resolve.resolution_state import Resolved, Resolving, Unresolved

_PENDING = "Pending"
"""Reason of Kueue for a Workload that waits for its turn."""


def is_awaited(observed: Observed) -> bool:
    """Whether a run must have no pods because it has no quota."""
    if not observed.queue:
        return False
    return observed.workload is None or not observed.workload.has_quota


def waits(observed: Observed) -> PhaseState | None:
    """Return Queued while a run must not start, or must stop; None if it may run."""
    if not observed.queue:
        return None
    started = _has_children(observed)
    if not is_awaited(observed):
        if observed.unknown_flavors and not started:
            return _waiting(f"ResourceFlavor {observed.unknown_flavors[0]} does not exist")
        if lacking := _groups_without_quota(observed):
            return _waiting(f"worker group {lacking[0]}, which its Workload does not have")
        return None
    if started:
        return PhaseState(Phase.QUEUED, constants.REASON_EVICTED, _loss(observed))
    match observed.resolution:
        case Resolved():
            return _queued(observed)
        case Unresolved() | Resolving(None) if observed.workplan.status.phase == Phase.QUEUED.value:
            return _queued(observed)
        case _:
            return None


def steps(
    observed: Observed,
    state: PhaseState,
    now: datetime,
    *,
    workers: int,
    minimum: int,
    groups: Mapping[str, int] = MappingProxyType({}),
) -> Iterator[Action]:
    """Yield what makes the Workload say what the run needs and has.

    A run that starts asks for `workers` workers, and can do with `minimum`; `groups` are those of
    other groups.
    """
    workload = observed.workload
    waiting = state.phase is Phase.QUEUED and bool(observed.queue)
    if workload is None:
        if waiting and isinstance(observed.resolution, Resolved) and not _has_children(observed):
            yield actions.CreateWorkload(workers, minimum, groups)
    elif workload.deleting:
        return
    elif state.ended or state.phase is Phase.SUSPENDED or not _is_wanted(observed, workload):
        yield from unneeded(observed, now, state.reason)
    elif workload.evicted is not None and workload.reserved:
        if not release.has_active_children(observed, now):
            yield actions.ReleaseQuota(workload.uid)
    elif waiting and not workload.reserved and _has_changed(observed, workload):
        yield actions.RequeueWorkload(observed.queue, observed.workplan.spec.priority)
    elif state.phase is Phase.RUNNING and workload.has_quota and not workload.pods_ready:
        yield actions.ReportPodsReady(workload.uid)


def unneeded(observed: Observed, now: datetime, reason: str) -> Iterator[DeleteChild]:
    """Yield the deletion of the Workload: not before the last pod that it stands for has ended."""
    workload = observed.workload
    if (
        workload is not None
        and not workload.deleting
        and not release.has_active_children(observed, now)
    ):
        yield DeleteChild(ChildKind.WORKLOAD, workload.name, workload.uid, reason)


def _is_wanted(observed: Observed, workload: WorkloadView) -> bool:
    """Whether a Workload still stands for a run: not one that is over for Kueue.

    Without the label of a queue only one that has quota does, until the run ends.
    """
    return (
        not workload.finished
        and (bool(observed.queue) or workload.admitted)
        and not (observed.queue and _groups_without_quota(observed))
    )


def _groups_without_quota(observed: Observed) -> list[str]:
    """Return the worker groups that a run which starts needs and was admitted without.

    What is left to compute may have changed since the Workload was made: its pod sets cannot.
    """
    if not isinstance(observed.resolution, Resolved) or _has_children(observed):
        return []
    if not observed.placements:
        return []
    return [
        group.name
        for group in observed.workplan.spec.cluster.worker_groups or ()
        if group.name in observed.resolution.groups
        and component_of_group(group.name) not in observed.placements
    ]


def _has_changed(observed: Observed, workload: WorkloadView) -> bool:
    """Whether queue or priority were edited since; a class determines the priority once."""
    if workload.queue != observed.queue:
        return True
    return not workload.classed and workload.priority != observed.workplan.spec.priority


def _has_children(observed: Observed) -> bool:
    runner = observed.runner
    return (
        observed.cluster is not None
        or bool(observed.extra_clusters)
        or observed.autoscaler is not None
        or (runner is not None and not runner.finished)
    )


def _queued(observed: Observed) -> PhaseState:
    """Return Queued with what keeps Kueue from admitting the run.

    Of one that waits for its turn the first message stays: each change would be a write.
    """
    workload, status = observed.workload, observed.workplan.status
    if observed.create_errors and workload is None:
        problem = observed.create_errors[0]
        return PhaseState(Phase.QUEUED, problem.reason, problem.message)
    queue = f"LocalQueue {observed.queue}"
    if workload is None:
        return _waiting(queue)
    if not workload.active:
        return _waiting(f"{queue}: Workload {workload.name} is not active, see its spec.active")
    if workload.evicted is not None and workload.reserved:
        return _waiting(f"{queue}, which it had: {workload.evicted.message}")
    begin = f"{queue} by Workload {workload.name}"
    if workload.reserved:
        return _waiting(f"{begin}: it is reserved, and admission checks are not done")
    why = workload.waiting
    if why is None or not why.message:
        return _waiting(begin)
    said = status.message or ""
    if why.reason == _PENDING and said.startswith(f"{_waiting(begin).message}:"):
        return PhaseState(Phase.QUEUED, constants.REASON_WAITING_FOR_QUOTA, said)
    return _waiting(f"{begin}: {why.message}")


_WAITS = "Waits for quota of "


def _waiting(what: str) -> PhaseState:
    return PhaseState(Phase.QUEUED, constants.REASON_WAITING_FOR_QUOTA, f"{_WAITS}{what}")


def _loss(observed: Observed) -> str:
    """Return why a run loses its pods."""
    workload = observed.workload
    if workload is None or workload.deleting:
        why = "its Workload was deleted"
    elif workload.evicted is not None:
        why = workload.evicted.message or workload.evicted.reason
    elif not workload.active:
        why = f"Workload {workload.name} is not active"
    else:
        why = f"Workload {workload.name} is not admitted"
    return f"The run has no quota any more: {why}. Its pods are deleted, results are kept."
