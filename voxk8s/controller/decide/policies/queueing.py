"""Which WorkPlans may have a Dask cluster while the number of clusters is limited. Pure.

Those that wait start in fair order: first that of the namespace with the fewest clusters; of two
such namespaces, the one whose next WorkPlan is older. Within a namespace the one with the highest
priority is next, of equal ones the oldest. A minute of waiting counts as much as one point of
priority, so that none waits without end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from voxk8s import constants
from voxk8s.api.conditions import find_condition
from voxk8s.controller.decide.phase import ACTIVE_PHASES, Phase
from voxk8s.controller.decide.policies import quota, rerun, suspension
from voxk8s.controller.limits import Limits
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.observe.workplan_codec import UndecodableWorkPlan
from voxk8s.controller.resolve.resolution_state import Resolved, Resolving, Unresolved

_AGING = timedelta(minutes=1)
"""Time that a WorkPlan waits for one point of priority."""
_REFUSALS = (
    constants.REASON_POD_REJECTED,
    constants.REASON_API_SERVER_UNAVAILABLE,
    constants.REASON_DASK_OPERATOR_MISSING,
)
"""Reasons in ClusterReady of a cluster that cannot be created."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A WorkPlan that waits for a cluster."""

    namespace: str
    name: str
    uid: str
    priority: int
    since: datetime
    """When it was accepted, or gave way."""
    gave_way: bool = False
    """Whether it has had a cluster, and could not begin."""

    @property
    def rank(self) -> tuple[float, str]:
        """Its place among those of its namespace; the lowest is next."""
        # Numbers: a time in a status may be the first or last one that there is.
        return self.since.timestamp() - self.priority * _AGING.total_seconds(), self.name


def has_cluster(observed: Observed) -> bool:
    """Whether a WorkPlan has a cluster, if it is only one that goes."""
    return observed.cluster is not None or bool(observed.extra_clusters)


def is_refused(observed: Observed) -> bool:
    """Whether a WorkPlan has no cluster because something that it needs cannot be created."""
    return bool(observed.create_errors) and not has_cluster(observed)


def was_refused(observed: Observed) -> bool:
    """Whether that is what its status says, after a restart of the operator."""
    found = find_condition(observed.workplan.status.conditions, constants.CLUSTER_READY)
    refused = found is not None and found.status == "False" and found.reason in _REFUSALS
    return refused and not has_cluster(observed) and not observed.sync_error


def holds_cluster(observed: Observed) -> bool:
    """Whether a WorkPlan has a cluster, or has started and is to have one again."""
    if has_cluster(observed):
        return True
    resource, runner = observed.workplan, observed.runner
    if resource.finished or resource.spec.suspend or resource.spec.is_managed_by_another:
        return False
    if runner is not None and not runner.finished and not runner.deleting:
        return True
    # A finalizer may keep a deleted one for ever; its run is over.
    deleted = resource.metadata.deletion_timestamp is not None
    return resource.status.phase in ACTIVE_PHASES and not deleted


def wants_cluster(observed: Observed) -> bool:
    """Whether a WorkPlan would start a cluster if it may.

    After a restart of the operator one that waited keeps its place until it is looked up again.
    One that Kueue has not admitted takes no place, nor one whose flavor does not exist.
    """
    if quota.waits(observed) is not None:
        return False
    match observed.resolution:
        case Resolved(final_status=final):
            return final is None and may_run(observed)
        case Unresolved() | Resolving(None):
            return observed.workplan.status.phase == Phase.QUEUED.value and may_run(observed)
        case _:
            return False


def is_looked_up(observed: Observed) -> bool:
    """Whether it will soon be known if a WorkPlan wants a cluster: it keeps a place until then."""
    awaited = quota.is_awaited(observed)
    return (
        not awaited
        and isinstance(observed.resolution, Unresolved | Resolving)
        and may_run(observed)
    )


def may_run(observed: Observed) -> bool:
    """Whether a WorkPlan is this operator's, not over or suspended, and waits for no pods.

    Nothing is created for one whose children are not known, or whose status is rejected.
    """
    resource, spec = observed.workplan, observed.workplan.spec
    if observed.sync_error or observed.status_error:
        return False
    over = resource.finished or resource.metadata.deletion_timestamp is not None
    if over or spec.suspend or spec.is_managed_by_another:
        return False
    if rerun.is_under_way(observed) or suspension.is_resuming(observed):
        return False  # A pod of a lost node may keep it waiting for ever.
    return not isinstance(resource, UndecodableWorkPlan)


def candidate(observed: Observed) -> Candidate:
    """Return a WorkPlan as one that waits."""
    metadata, status = observed.workplan.metadata, observed.workplan.status
    created = metadata.creation_timestamp
    since = status.start_time or created or datetime.max.replace(tzinfo=UTC)
    if created is not None:
        # A runner can write any time into the status, and would be before everybody else.
        since = max(since, created)
    return Candidate(
        metadata.namespace, metadata.name, metadata.uid, observed.workplan.spec.priority, since
    )


def next_to_start(
    waiting: Iterable[Candidate], holding: Mapping[str, int], limits: Limits
) -> Candidate | None:
    """Return the WorkPlan to start next, or None if none may; `holding` counts by namespace.

    One that gave way comes as if its namespace had the most clusters: those of a namespace that
    fit nowhere would take each turn, since it has none for long.
    """
    heads: dict[str, Candidate] = {}
    for each in waiting:
        head = heads.get(each.namespace)
        if head is None or each.rank < head.rank:
            heads[each.namespace] = each
    allowed = [head for head in heads.values() if not limits.reached(head.namespace, holding)]
    most = max(holding.values(), default=0)
    return min(
        allowed,
        key=lambda head: (
            most if head.gave_way else holding.get(head.namespace, 0),
            head.since,
            head.namespace,
        ),
        default=None,
    )
