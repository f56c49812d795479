"""What the operator knows of one WorkPlan at one moment: plain values, no client objects.

`decide` depends on nothing but these values and the time. A view holds only the fields of a
Kubernetes object that some decision needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster.placement import Placement, placed
from voxk8s.controller.resolve.resolution_state import ResolutionState, Unresolved


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a child from working: a reason of `constants` and a message for people."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod of the run; `component` is runner, scheduler or worker.

    `owner` is the name of its DaskCluster or Job. `termination_message` has the exit code, too.
    `deleting` is its deletion timestamp: when the time that it gets to end is over.
    """

    name: str
    uid: str
    component: str
    owner: str
    node: str = ""
    ready: bool = False
    deleting: datetime | None = None
    finished: bool = False
    problems: tuple[Problem, ...] = ()
    termination_message: str = ""
    group: str = ""
    """The worker group in the spec; empty for the default one."""
    credentials_rejected_at: datetime | None = None
    """When it exited because the store rejected the credentials that it was started with."""


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
    uid: str = ""
    group: str = ""
    """The worker group in the spec; empty for the default one."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A DaskCluster, its initial number of workers, and the Secret with its keys for TLS.

    `deleting` is the time of its deletion timestamp.
    """

    name: str
    owner: str
    created: datetime
    uid: str = ""
    workers: int = 0
    deleting: datetime | None = None
    failed: bool = False
    handled: bool = False
    """Whether the dask operator has done anything with it."""
    unowned: bool = False
    """Whether it was created for a WorkPlan, and has no owner any more."""
    keys: str = ""
    """Empty if its pods do not speak TLS."""
    groups: Mapping[str, int] = field(default_factory=dict)
    """The workers of each group that it is to have beside the default one."""


@dataclass(frozen=True, slots=True)
class WorkerGroupView:
    """A worker group of a DaskCluster; `group` is its name in the spec, empty for the default."""

    name: str
    cluster: str
    replicas: int
    created: datetime | None = None
    uid: str = ""
    managed: bool = False
    """Whether it was created for a WorkPlan, and not by someone else with the same label."""
    group: str = ""
    error: str = ""
    """What the dask operator could not do for it, as it last said."""


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
    """The runner's Job; `complete` and `failed` are its two terminal conditions.

    `cluster` is the DaskCluster whose scheduler its pod connects to.
    """

    name: str
    uid: str
    owner: str
    created: datetime
    cluster: str = ""
    attempts: int = 0
    complete: bool = False
    failed: bool = False
    message: str = ""
    ended: datetime | None = None
    deleting: bool = False
    suspended: bool = False
    unowned: bool = False
    """Whether it was created for a WorkPlan, and has no owner any more."""

    @property
    def finished(self) -> bool:
        """Whether the Job will not start another pod."""
        return self.complete or self.failed


@dataclass(frozen=True, slots=True)
class AccessView:
    """The runner's ServiceAccount, which owns all that gives the run's pods access to anything."""

    name: str
    uid: str
    owner: str
    deleting: bool = False


@dataclass(frozen=True, slots=True)
class FailedCreateView:
    """A FailedCreate event: why a Job has no pod."""

    job_uid: str
    message: str


@dataclass(frozen=True, slots=True)
class ClusterErrorView:
    """An event of the dask operator about an object of a DaskCluster: what it could not do."""

    uid: str
    message: str
    time: str = ""


@dataclass(frozen=True, slots=True)
class WorkloadView:
    """The Workload of a run: what Kueue decided about its quota.

    `assigned` has what it says about each pod set, without the contents of its flavors: these are
    named in `flavors`. `waiting` is why it has no quota, `evicted` why it lost it.
    """

    name: str
    uid: str
    owner: str
    queue: str = ""
    priority: int = 0
    classed: bool = False
    """Whether a priority class determines its priority."""
    active: bool = True
    reserved: bool = False
    admitted: bool = False
    finished: bool = False
    pods_ready: bool = False
    deleting: bool = False
    evicted: Problem | None = None
    waiting: Problem | None = None
    assigned: Mapping[str, Placement] = field(default_factory=dict)
    flavors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_quota(self) -> bool:
        """Whether pods may run."""
        usable = self.active and not self.finished and not self.deleting
        return self.admitted and self.evicted is None and usable


@dataclass(frozen=True, slots=True)
class FlavorView:
    """A ResourceFlavor: where the pods that use its quota run."""

    name: str
    placement: Placement


@dataclass(frozen=True, slots=True)
class Observed:
    """One WorkPlan, the state of its plan's resolution, and its children."""

    workplan: WorkPlanResource
    resolution: ResolutionState = field(default_factory=Unresolved)
    cluster: ClusterView | None = None
    extra_clusters: tuple[ClusterView, ...] = ()
    """Other DaskClusters that this WorkPlan owns: being deleted, or superseded."""
    worker_group: WorkerGroupView | None = None
    """The default one."""
    worker_groups: tuple[WorkerGroupView, ...] = ()
    """The others."""
    autoscaler: AutoscalerView | None = None
    scheduler: DeploymentView | None = None
    workers: tuple[DeploymentView, ...] = ()
    runner: JobView | None = None
    access: AccessView | None = None
    queue: str = ""
    """The LocalQueue of Kueue whose quota the run needs; empty if it needs none."""
    workload: WorkloadView | None = None
    placements: Mapping[str, Placement] = field(default_factory=dict)
    """Where Kueue admitted the pods of a component, and how many."""
    unknown_flavors: tuple[str, ...] = ()
    """ResourceFlavors that the Workload was admitted to, and that do not exist."""
    pods: tuple[PodView, ...] = ()
    live_pods: tuple[PodView, ...] = ()
    """The pods of runs of this name that have not ended, those of deleted clusters included."""
    create_errors: tuple[Problem, ...] = ()
    """Children that the API server rejected when the operator last tried to create them."""
    create_wait: float = 0.0
    """Seconds until one of them is tried again."""
    cluster_error: str = ""
    """What the dask operator could not do for the cluster, as it last said."""
    status_error: str = ""
    """Why the API server rejected the last write of the status."""
    crowded: bool = False
    """Whether many plans wait for their look-ups, those of the namespace among them."""
    queued: str = ""
    """What the run waits for because of limits of clusters; empty if it may start."""
    gives_way: bool = False
    """Whether its pods go until its turn, since those of several runs have no room together."""
    status_wait: float = 0.0
    """Seconds until changes of the status that are not urgent are written."""
    sync_error: str = ""
    """What was not listed yet, and why: children that are absent here may exist."""
    runner_pod_error: str = ""
    """Why the API server rejected the pod of the runner's Job."""
    dashboard: str | None = None

    @property
    def run_workplan(self) -> WorkPlanResource:
        """The WorkPlan as its pods are made: with the nodes and workers that Kueue admitted."""
        return placed(self.workplan, self.placements)

    @property
    def computes(self) -> bool:
        """Whether operations of the run are being computed, or have been."""
        counts = self.workplan.status.operations
        return counts is not None and (counts.running > 0 or counts.computed > 0)

    @property
    def ready_workers(self) -> int:
        """Number of worker pods that are ready."""
        return sum(pod.component == "worker" and pod.ready for pod in self.pods)

    @property
    def ready_workers_of_groups(self) -> Mapping[str, int]:
        """Number of ready worker pods by group, of those that have any; the default one is ""."""
        return Counter(pod.group for pod in self.pods if pod.component == "worker" and pod.ready)

    @property
    def lacking_groups(self) -> list[str]:
        """The groups beside the default one that are to have workers of which none is ready."""
        wanted = self.cluster.groups if self.cluster is not None else {}
        ready = self.ready_workers_of_groups
        return [name for name in wanted if name not in ready]
