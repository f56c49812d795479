"""Another run of a finished WorkPlan, which a new value of an annotation asks for.

At once the status says so, and that it is in progress again. While it does, what is left of the
last run is deleted and waited for: its Job or a pod of it would end the next run with the last
one's outcome, and its policies and roles are those of another spec. Then the status becomes that
of a new WorkPlan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime

import msgspec

from voxk8s import constants
from voxk8s.api.conditions import find_condition
from voxk8s.api.runner_status import RUNNER_FIELDS
from voxk8s.api.status import WorkPlanStatus
from voxk8s.cluster.child_names import label_selector
from voxk8s.controller.decide.actions import ChildKind, DeleteChild
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import completion, lost_pods, quota, release
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Unresolved

CLEARING = PhaseState(
    Phase.RESOLVING,
    constants.REASON_RETRY,
    f"The WorkPlan runs again, as its annotation {constants.ANNOTATION_RETRY} asks, when nothing"
    " is left of its last run.",
)
"""The state of a WorkPlan until nothing is left of its last run."""


def is_requested(observed: Observed) -> bool:
    """Whether a finished WorkPlan is to run again."""
    return observed.workplan.retry_requested and completion.recorded_end(observed) is not None


def is_under_way(observed: Observed) -> bool:
    """Whether the status says that what is left of the last run is being cleared away.

    Its outcome may still be in the status, and is not that of the run to come.
    """
    found = find_condition(observed.workplan.status.conditions, constants.RECONCILING)
    return found is not None and found.reason == constants.REASON_RETRY


def leftovers(observed: Observed, now: datetime) -> Iterator[DeleteChild]:
    """Yield the deletions of what the last run left; accounts and policies after all pods."""
    yield from release.unneeded_children(observed, CLEARING, now)
    runner = observed.runner
    if runner is not None and runner.finished and not runner.deleting:
        yield DeleteChild(ChildKind.RUNNER, runner.name, runner.uid, CLEARING.reason)
    yield from quota.unneeded(observed, now, CLEARING.reason)
    yield from release.unneeded_access(observed, now, CLEARING.reason)


def remains(observed: Observed, now: datetime) -> str:
    """Return what is left of the last run; empty if the next one may start."""
    clusters = (*observed.extra_clusters, *((observed.cluster,) if observed.cluster else ()))
    found = [f"DaskCluster {cluster.name}" for cluster in clusters]
    if observed.autoscaler is not None:
        found.append(f"DaskAutoscaler {observed.autoscaler.name}")
    if observed.runner is not None:
        found.append(f"Job {observed.runner.name}")
    pods = lost_pods.awaited_pods(observed, now)
    if pods:
        selector = label_selector(observed.workplan)
        late = lost_pods.describe(pods, now)
        found.append(late or f"pods that have not ended (kubectl get pods -l {selector})")
    if observed.workload is not None:
        found.append(f"Workload {observed.workload.name}")
    if observed.access is not None:
        found.append(f"ServiceAccount {observed.access.name}")
    return ", ".join(found)


def without_outcome(observed: Observed) -> Observed:
    """Return a WorkPlan without what its last run has reported."""
    if not is_under_way(observed):
        return as_new(observed)
    status = msgspec.structs.replace(
        observed.workplan.status, **dict.fromkeys(RUNNER_FIELDS), start_time=None
    )
    return _with_status(observed, status)


def as_new(observed: Observed) -> Observed:
    """Return a WorkPlan as it was before its first run."""
    return _with_status(observed, WorkPlanStatus())


def _with_status(observed: Observed, status: WorkPlanStatus) -> Observed:
    resource = msgspec.structs.replace(observed.workplan, status=status)
    return dataclasses.replace(observed, workplan=resource, resolution=Unresolved())
