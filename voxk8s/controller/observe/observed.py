"""What the operator sees of one WorkPlan at one moment: plain values, no client objects.

Everything that `decide` may depend on is in here; views hold only what some decision needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from voxk8s.api import WorkPlanResource
from voxk8s.controller.resolve.resolution_state import Resolution, Unresolved


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a child from working: a documented reason, and words for a person."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod of the run; `component` is runner, scheduler or worker."""

    name: str
    uid: str
    component: str
    owner: str
    ready: bool = False
    deleting: bool = False
    finished: bool = False
    problems: tuple[Problem, ...] = ()
    termination_message: str = ""
    """What its container left behind when it ended."""
    credentials_rejected_at: datetime | None = None
    """When it ended because the store refuses the credentials that it was started with."""


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """The Deployment of a scheduler, or of one worker."""

    name: str
    component: str
    cluster: str
    created: datetime
    available: int = 0
    deleting: bool = False
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A DaskCluster; `workers` is the number it started with, `secret` what its pods read."""

    name: str
    owner: str
    created: datetime
    uid: str = ""
    workers: int = 0
    deleting: datetime | None = None
    failed: bool = False
    secret: str = ""


@dataclass(frozen=True, slots=True)
class WorkerGroupView:
    """The default worker group of a DaskCluster."""

    name: str
    cluster: str
    replicas: int
    created: datetime | None = None
    uid: str = ""
    managed: bool = False
    """Whether it was made for a WorkPlan, and not by somebody who uses its label."""


@dataclass(frozen=True, slots=True)
class AutoscalerView:
    """A DaskAutoscaler and its limits."""

    name: str
    cluster: str
    minimum: int
    maximum: int
    uid: str = ""
    deleting: datetime | None = None
    finalizers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobView:
    """The runner's Job; `complete` and `failed` are its two ends.

    `cluster` is the DaskCluster that its pod is told to use, `secret` what it reads.
    """

    name: str
    uid: str
    owner: str
    created: datetime
    cluster: str = ""
    secret: str = ""
    attempts: int = 0
    active: int = 0
    complete: bool = False
    failed: bool = False
    message: str = ""
    ended: datetime | None = None
    deleting: bool = False

    @property
    def finished(self) -> bool:
        """Whether no pod of the Job will run any more."""
        return self.complete or self.failed


@dataclass(frozen=True, slots=True)
class FailedCreateView:
    """An event that says why a Job gets no pod."""

    job: str
    message: str


@dataclass(frozen=True, slots=True)
class Observed:
    """One WorkPlan, what is known of its plan, and its children."""

    workplan: WorkPlanResource
    resolution: Resolution = field(default_factory=Unresolved)
    cluster: ClusterView | None = None
    extra_clusters: tuple[ClusterView, ...] = ()
    """Clusters of this WorkPlan that were made from another spec."""
    worker_group: WorkerGroupView | None = None
    autoscaler: AutoscalerView | None = None
    scheduler: DeploymentView | None = None
    workers: tuple[DeploymentView, ...] = ()
    runner: JobView | None = None
    pods: tuple[PodView, ...] = ()
    create_errors: tuple[Problem, ...] = ()
    """What the API server said no to when children were last applied."""
    runner_pod_error: str = ""
    """What the API server said to the runner's Job when it asked for a pod."""
    dashboard: str | None = None

    @property
    def ready_workers(self) -> int:
        """Workers that can compute now."""
        return sum(pod.component == "worker" and pod.ready for pod in self.pods)
