"""Deletes clusters and runners of WorkPlans that were deleted without them.

After `kubectl delete workplan --cascade=orphan` Kubernetes removes the owner references of the
children and never deletes them: workers would compute for nobody, beyond the limits of clusters.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from voxk8s.cluster import child_names
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    WORK_PLANS,
    ApiResource,
)
from voxk8s.constants import LABEL_WORKPLAN
from voxk8s.controller.decide.policies.release import AUTOSCALER_GRACE
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.work_queue import ObjectKey

_log = logging.getLogger(__name__)

GRACE = timedelta(seconds=15)
"""Age of an orphan: the informers of different kinds are not equally far."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A DaskCluster or Job of the operator that has no owner; `label` names its WorkPlan."""

    resource: ApiResource
    key: ObjectKey
    uid: str
    label: str
    created: datetime


def orphaned_children(state: ClusterState, now: datetime) -> Iterator[Orphan]:
    """Yield clusters and runners without an owner whose WorkPlan does not seem to exist."""
    for informer in (state.jobs, state.clusters):
        for key, view in informer.items():
            if not view.unowned or view.deleting or now - view.created < GRACE:
                continue
            index_key = informer.index_key(*key)
            if index_key is None or not state.workplans.is_synced(key.namespace):
                continue
            plans = state.workplans.by_index(index_key)
            if not any(_may_own(p.metadata.creation_timestamp, view.created) for p in plans):
                yield Orphan(informer.resource, key, view.uid, index_key[1], view.created)


async def delete_orphaned(kube: KubeClient, orphan: Orphan, now: datetime) -> None:
    """Delete an orphan, unless it has an owner or its WorkPlan exists.

    A cluster's autoscaler goes first. What is true is read from the API server; raises its errors.
    """
    if await _has_workplan(kube, orphan):
        return
    namespace, name = orphan.key
    # The operator may list Jobs and not get one.
    selector = f"{LABEL_WORKPLAN}={orphan.label}"
    listing = await kube.list(orphan.resource, namespace, label_selector=selector)
    found = [body for body in listing.items if body["metadata"]["uid"] == orphan.uid]
    if not found or found[0]["metadata"].get("ownerReferences"):
        return
    if orphan.resource == DASK_CLUSTERS:
        # It has the name of its cluster.
        autoscaler = await kube.find(DASK_AUTOSCALERS, name, namespace)
        if autoscaler is not None and await _must_wait(kube, autoscaler, now):
            return
    await kube.delete(orphan.resource, name, namespace, uid=orphan.uid)
    _log.info("deleted %s %s: its WorkPlan is gone", orphan.resource.kind, orphan.key)


async def _must_wait(kube: KubeClient, autoscaler: KubeObject, now: datetime) -> bool:
    """Delete an autoscaler; return whether the dask operator may still poll for it."""
    metadata = autoscaler["metadata"]
    deleting = metadata.get("deletionTimestamp")
    if deleting is not None:
        return now - datetime.fromisoformat(deleting) < AUTOSCALER_GRACE
    await kube.delete(
        DASK_AUTOSCALERS, metadata["name"], metadata["namespace"], uid=metadata["uid"]
    )
    return True


async def _has_workplan(kube: KubeClient, orphan: Orphan) -> bool:
    """Whether the API server has a WorkPlan that the label names and that is not younger."""
    namespace, label = orphan.key.namespace, orphan.label
    found = await kube.find(WORK_PLANS, label, namespace)
    if found is not None and _is_owner(found, orphan):
        return True
    if not child_names.may_be_shortened(label):
        return False
    async for page in kube.list_pages(WORK_PLANS, namespace):
        if any(_is_owner(body, orphan) for body in page.items):
            return True
    return False


def _is_owner(body: KubeObject, orphan: Orphan) -> bool:
    metadata = body["metadata"]
    created = datetime.fromisoformat(metadata["creationTimestamp"])
    same = child_names.label_value(str(metadata["name"])) == orphan.label
    return same and _may_own(created, orphan.created)


def _may_own(workplan: datetime | None, child: datetime) -> bool:
    """Whether a WorkPlan, by its creation, is not a successor that took the name later."""
    return workplan is None or workplan <= child
