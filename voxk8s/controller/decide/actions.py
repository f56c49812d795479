"""The actions that `decide` may return: frozen values, carried out in their order by `act`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias


class ChildKind(StrEnum):
    """Kinds of children that are deleted one by one."""

    CLUSTER = "DaskCluster"
    AUTOSCALER = "DaskAutoscaler"
    RUNNER = "Job"
    WORKER = "Deployment"
    ACCESS = "ServiceAccount"
    """The account of the runner, which owns what else its pods needed to run."""
    WORKLOAD = "Workload"
    """What holds quota of Kueue for the run."""


@dataclass(frozen=True, slots=True)
class ResolvePlan:
    """Read the plan and look its results up, in the background."""


@dataclass(frozen=True, slots=True)
class ForgetPlan:
    """Drop the state of the plan's resolution, and cancel it if it is under way."""


@dataclass(frozen=True, slots=True)
class CreateAccess:
    """Create what pods of the run need before they start.

    That is service accounts, role, network policies, keys for TLS, and the store's credentials.
    Neither cluster nor runner is created while any of it is missing.
    """


@dataclass(frozen=True, slots=True)
class CreateCluster:
    """Create the DaskCluster with its initial number of workers.

    `groups` are the workers of the other groups by name, which follow when it exists.
    """

    workers: int
    groups: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CreateWorkerGroup:
    """Create the DaskWorkerGroup of a group beside the default one."""

    name: str
    workers: int


@dataclass(frozen=True, slots=True)
class CreateRunner:
    """Create the runner's Job."""


@dataclass(frozen=True, slots=True)
class ApplyAutoscaler:
    """Create or update the DaskAutoscaler with its limits."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class CreateWorkload:
    """Create the Workload that asks Kueue for `workers` workers, or fewer down to `minimum`.

    `groups` are the workers of the other groups by name.
    """

    workers: int
    minimum: int
    groups: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequeueWorkload:
    """Change queue and priority of the Workload that waits."""

    queue: str
    priority: int


@dataclass(frozen=True, slots=True)
class ReleaseQuota:
    """Clear the reservation of an evicted Workload, whose pods are gone."""

    uid: str


@dataclass(frozen=True, slots=True)
class ReportPodsReady:
    """Tell Kueue that the pods of the Workload are ready: else it may evict them after a time."""

    uid: str


@dataclass(frozen=True, slots=True)
class DeleteChild:
    """Delete the child with the uid `uid`; no error if it does not exist."""

    kind: ChildKind
    name: str
    uid: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeleteWorkPlan:
    """Delete the WorkPlan at the end of its time to live."""


@dataclass(frozen=True, slots=True)
class WriteRunnerStatus:
    """Write the runner's part of the status while there is no runner."""

    part: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WriteOperatorStatus:
    """Write the operator's part of the status.

    `live` is whether it ends the run as failed, or takes an end back for another run.
    """

    part: dict[str, Any]
    live: bool = False


@dataclass(frozen=True, slots=True)
class RestartRun:
    """Replace the status by that of a new WorkPlan, without the runner's part.

    The status is in progress before, so none of the two writes that it takes shows a wrong end.
    """

    part: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeferStatus:
    """Wait before the operator's part of the status is written: its changes are not urgent."""


@dataclass(frozen=True, slots=True)
class EmitEvent:
    """Emit a Kubernetes event about the WorkPlan."""

    warning: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RequeueAfter:
    """Reconcile again after this many seconds."""

    seconds: float


Action: TypeAlias = (
    ResolvePlan
    | ForgetPlan
    | CreateAccess
    | CreateCluster
    | CreateWorkerGroup
    | CreateRunner
    | ApplyAutoscaler
    | CreateWorkload
    | RequeueWorkload
    | ReleaseQuota
    | ReportPodsReady
    | DeleteChild
    | DeleteWorkPlan
    | WriteRunnerStatus
    | WriteOperatorStatus
    | RestartRun
    | DeferStatus
    | EmitEvent
    | RequeueAfter
)


def needs_live_read(action: Action, *, current: bool) -> bool:
    """Whether an action must not follow from informers alone, which may be behind.

    Those that delete something or end a run cannot be taken back; a second cluster is expensive.
    Unless the operator's part of the status is known as it is (`current`), another operator may
    have ended the run, or suspended it: then nothing is created.
    """
    match action:
        case DeleteChild() | DeleteWorkPlan() | CreateCluster() | RestartRun() | ReleaseQuota():
            return True
        case WriteOperatorStatus(live=live):
            return live
        case CreateAccess() | CreateRunner() | CreateWorkerGroup() | CreateWorkload():
            return not current
        case ApplyAutoscaler() | RequeueWorkload() | ReportPodsReady():
            return not current
        case _:
            return False
