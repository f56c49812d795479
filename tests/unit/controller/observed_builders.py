"""Builders of `Observed` values: a WorkPlan at some moment of its life, and its children."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from voxk8s.api.runner_status import RUNNER_FIELDS
from voxk8s.api.status import OperationCounts, WorkPlanStatus
from voxk8s.api.workplan import WorkPlanResource, decode_resource
from voxk8s.controller.decide import status
from voxk8s.controller.decide.derive_phase import derive_phase
from voxk8s.controller.observe.observed import (
    AccessView,
    AutoscalerView,
    ClusterView,
    DeploymentView,
    JobView,
    Observed,
    PodView,
    Problem,
    WorkerGroupView,
)
from voxk8s.controller.resolve.resolution_state import Resolved

START = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
COUNTS = OperationCounts(total=12, cached=2, computed=0, failed=0, running=0, pending=10)
WORK_LEFT = Resolved(counts=COUNTS, threads=10)
FULLY_CACHED = Resolved(
    final_status={
        "operations": {
            "total": 2, "cached": 2, "computed": 0, "failed": 0, "running": 0, "pending": 0,
        },
        "progress": "2/2",
        "results": [{"goal": "sum", "kind": "print", "value": 8}],
    },
    threads=0,
)  # fmt: skip


def later(seconds: float) -> datetime:
    """Return the time this many seconds after START."""
    return START + timedelta(seconds=seconds)


def workplan(spec: dict[str, Any] | None = None, **parts: Any) -> WorkPlanResource:
    """Make a WorkPlan that was just applied; `parts` replace fields of its status."""
    resource = decode_resource(
        {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {"name": "wp", "namespace": "ns", "uid": "u-1", "generation": 1},
            "spec": {"source": {"plan": {"nodes": [], "goals": []}}, **(spec or {})},
        }
    )
    return msgspec.structs.replace(
        resource, status=msgspec.structs.replace(resource.status, **parts)
    )


def applied(**changes: Any) -> Observed:
    """Make an observation of a WorkPlan that was just applied."""
    return Observed(workplan=changes.pop("workplan", None) or workplan(), **changes)


def with_operator_status(observed: Observed, now: datetime = START, **parts: Any) -> Observed:
    """Return the observation with the status that the operator writes; `parts` are the runner's."""
    part = status.operator_status(observed, derive_phase(observed, now), now)
    kept = {name: getattr(observed.workplan.status, name) for name in RUNNER_FIELDS}
    return with_status(observed, msgspec.structs.replace(part, **(kept | parts)))


def with_status(observed: Observed, new: WorkPlanStatus) -> Observed:
    """Replace the status of an observation."""
    resource = msgspec.structs.replace(observed.workplan, status=new)
    return replace(observed, workplan=resource)


def replace(observed: Observed, **changes: Any) -> Observed:
    """Replace fields of an observation."""
    return dataclasses.replace(observed, **changes)


def with_spec(observed: Observed, **changes: Any) -> Observed:
    """Edit the spec as a user does: the generation is incremented."""
    resource = observed.workplan
    return replace(
        observed,
        workplan=msgspec.structs.replace(
            resource,
            spec=msgspec.structs.replace(resource.spec, **changes),
            metadata=msgspec.structs.replace(
                resource.metadata, generation=resource.metadata.generation + 1
            ),
        ),
    )


def cluster(**changes: Any) -> ClusterView:
    """Make a DaskCluster with three initial workers."""
    return ClusterView(
        **{"name": "c", "uid": "u-c", "owner": "u-1", "created": START, "workers": 3, **changes}
    )


def scheduler(**changes: Any) -> DeploymentView:
    """Make the scheduler's Deployment, available."""
    return DeploymentView(
        **{
            "name": "c-scheduler",
            "component": "scheduler",
            "cluster": "c",
            "created": START,
            "available": 1,
            **changes,
        }
    )


def worker(name: str = "w", **changes: Any) -> DeploymentView:
    """Make the Deployment of a worker, available."""
    return DeploymentView(
        **{
            "name": name,
            "component": "worker",
            "cluster": "c",
            "created": START,
            "available": 1,
            **changes,
        }
    )


def worker_group(replicas: int = 3, **changes: Any) -> WorkerGroupView:
    """Make the default worker group."""
    return WorkerGroupView(**{"name": "c-default", "cluster": "c", "replicas": replicas, **changes})


def access(**changes: Any) -> AccessView:
    """Make the account that owns all that gives the run's pods access."""
    return AccessView(**{"name": "a", "uid": "u-a", "owner": "u-1", **changes})


def job(**changes: Any) -> JobView:
    """Make the runner's Job with one active pod."""
    return JobView(
        **{
            "name": "j",
            "uid": "u-j",
            "owner": "u-1",
            "created": START,
            "attempts": 1,
            **changes,
        }
    )


def autoscaler(minimum: int = 3, maximum: int = 8, **changes: Any) -> AutoscalerView:
    """Make the DaskAutoscaler."""
    return AutoscalerView("c", "c", minimum, maximum, **{"uid": "u-c", **changes})


def pod(component: str = "worker", name: str = "p", **changes: Any) -> PodView:
    """Make a ready pod."""
    return PodView(
        **{
            "name": name,
            "uid": f"u-{name}",
            "component": component,
            "owner": "c",
            "ready": True,
            **changes,
        }
    )


def problem(reason: str, message: str = "message") -> Problem:
    """Make a problem."""
    return Problem(reason, message)


def running(**changes: Any) -> Observed:
    """Make an observation of a run that computes."""
    status_parts = changes.pop("status", {})
    observed = with_operator_status(applied(workplan=changes.pop("workplan", None)))
    observed = replace(
        observed,
        resolution=WORK_LEFT,
        cluster=cluster(),
        scheduler=scheduler(),
        worker_group=worker_group(),
        workers=(worker(),),
        autoscaler=autoscaler(0),
        runner=job(),
        pods=(pod(), pod("runner", "r"), pod("scheduler", "s")),
    )
    counts = msgspec.structs.replace(COUNTS, computed=3, running=2, pending=5)
    parts = {"operations": counts, "progress": "5/12", **status_parts}
    return replace(with_operator_status(observed, **parts), **changes)
