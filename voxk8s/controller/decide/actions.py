"""What `decide` may ask for: frozen values, carried out by `act` in their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias


class ChildKind(StrEnum):
    """Kinds of children that can be deleted one by one."""

    CLUSTER = "DaskCluster"
    AUTOSCALER = "DaskAutoscaler"
    RUNNER = "Job"
    WORKER = "Deployment"
    CREDENTIALS = "Secret"


@dataclass(frozen=True, slots=True)
class ResolvePlan:
    """Read the plan and look its goals up, in the background."""


@dataclass(frozen=True, slots=True)
class ForgetPlan:
    """Drop what is known of the plan, and stop finding out."""


@dataclass(frozen=True, slots=True)
class CreateAccess:
    """Service accounts, role, network policies and the store's Secret of the run."""


@dataclass(frozen=True, slots=True)
class CreateCluster:
    """The DaskCluster, with its first workers."""

    workers: int


@dataclass(frozen=True, slots=True)
class CreateRunner:
    """The runner's Job."""


@dataclass(frozen=True, slots=True)
class ApplyAutoscaler:
    """The DaskAutoscaler between two numbers of workers."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class DeleteChild:
    """A child that is no longer wanted; it is no error when it is gone already."""

    child: ChildKind
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class DeleteWorkPlan:
    """The WorkPlan itself, at the end of its time to live."""


@dataclass(frozen=True, slots=True)
class WriteRunnerStatus:
    """The runner's part of the status, for runs without a runner."""

    part: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WriteOperatorStatus:
    """The operator's part of the status, whole."""

    part: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EmitEvent:
    """An event about the WorkPlan."""

    warning: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RequeueAfter:
    """Reconcile again in so many seconds, whatever happens."""

    seconds: float


Action: TypeAlias = (
    ResolvePlan
    | ForgetPlan
    | CreateAccess
    | CreateCluster
    | CreateRunner
    | ApplyAutoscaler
    | DeleteChild
    | DeleteWorkPlan
    | WriteRunnerStatus
    | WriteOperatorStatus
    | EmitEvent
    | RequeueAfter
)
