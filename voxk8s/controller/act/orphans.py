"""Cleans up what the dask operator leaves behind, even after the WorkPlan is gone.

The dask operator puts a finalizer on every DaskAutoscaler only to stop its own timer. If the
DaskCluster is deleted while the timer runs or the autoscaler is being adopted, the finalizer stays
for 60 s. It protects nothing.

A DaskWorkerGroup gets its owner reference after its workers are created. If the cluster is deleted
before that, or while the dask operator restarts, the group has no owner, and its workers try to
reach a scheduler without end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    DASK_WORKER_GROUPS,
    WORK_PLANS,
)
from voxk8s.controller.act.orphaned_runs import delete_orphaned, orphaned_children
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import AutoscalerView, WorkerGroupView
from voxk8s.controller.work_queue import ObjectKey
from voxk8s.errors import PermanentError, TransientError

_log = logging.getLogger(__name__)

FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"
FINALIZER_GRACE = timedelta(seconds=3)
"""Time that the dask operator gets to remove its finalizer from a deleted autoscaler."""
ORPHAN_GRACE = timedelta(seconds=15)
"""Age of an orphaned worker group: the informer of clusters may be behind that of groups."""
_INTERVAL = 1.0


def stuck_autoscalers(
    state: ClusterState, now: datetime
) -> Iterator[tuple[ObjectKey, AutoscalerView]]:
    """Yield deleted autoscalers that only the dask operator's finalizer seems to keep."""
    for key, autoscaler in state.autoscalers.items():
        if autoscaler.deleting is None or now - autoscaler.deleting < FINALIZER_GRACE:
            continue
        cluster = state.clusters.get(key.namespace, autoscaler.cluster)
        cluster_gone = cluster is None or cluster.deleting is not None
        if FINALIZER in autoscaler.finalizers and cluster_gone:
            yield key, autoscaler


def orphaned_worker_groups(
    state: ClusterState, now: datetime
) -> Iterator[tuple[ObjectKey, WorkerGroupView]]:
    """Yield worker groups of the operator whose cluster does not seem to exist."""
    for key, group in state.worker_groups.items():
        if not group.managed or group.created is None or now - group.created < ORPHAN_GRACE:
            continue
        if not state.clusters.is_synced(key.namespace):
            continue
        if state.clusters.get(key.namespace, group.cluster) is None:
            yield key, group


async def cleanup_orphans(
    kube: KubeClient, state: ClusterState, now: Callable[[], datetime]
) -> None:
    """Remove the finalizers of stuck autoscalers and delete what is orphaned, until cancelled.

    Informers only find candidates. What is true of each is read from the API server before it is
    touched, and what is read must be the object with its uid.
    """
    while True:
        await asyncio.sleep(_INTERVAL)
        for key, autoscaler in list(stuck_autoscalers(state, now())):
            await _attempt(key, free_autoscaler(kube, key, autoscaler))
        for key, group in list(orphaned_worker_groups(state, now())):
            await _attempt(key, delete_orphan(kube, key, group))
        for orphan in list(orphaned_children(state, now())):
            await _attempt(orphan.key, delete_orphaned(kube, orphan, now()))


async def free_autoscaler(kube: KubeClient, key: ObjectKey, autoscaler: AutoscalerView) -> None:
    """Remove the dask operator's finalizer, unless the autoscaler or its cluster is alive."""
    if not await _is_gone(kube, key.namespace, autoscaler.cluster):
        return
    found = await kube.find(DASK_AUTOSCALERS, key.name, key.namespace)
    if found is None or found["metadata"]["uid"] != autoscaler.uid:
        return
    metadata = found["metadata"]
    if "deletionTimestamp" not in metadata:
        return
    kept = [name for name in metadata.get("finalizers") or () if name != FINALIZER]
    # The version protects finalizers that are added meanwhile.
    changes = {
        "uid": autoscaler.uid, "resourceVersion": metadata["resourceVersion"], "finalizers": kept,
    }  # fmt: skip
    await kube.patch(DASK_AUTOSCALERS, key.name, {"metadata": changes}, key.namespace)
    _log.info("removed the finalizer of DaskAutoscaler %s", key)


async def delete_orphan(kube: KubeClient, key: ObjectKey, group: WorkerGroupView) -> None:
    """Delete a worker group, unless its cluster exists after all."""
    if await kube.find(DASK_CLUSTERS, group.cluster, key.namespace) is not None:
        return
    await kube.delete(DASK_WORKER_GROUPS, key.name, key.namespace, uid=group.uid)
    _log.info("deleted orphaned DaskWorkerGroup %s", key)


async def delete_autoscalers(
    kube: KubeClient, state: ClusterState, deleted: WorkPlanResource
) -> None:
    """Delete the autoscaler of a deleted WorkPlan at once.

    Kubernetes deletes the cluster first, since the dask operator makes it the autoscaler's owner:
    then the dask operator polls a scheduler whose name no longer resolves, and is blocked for
    minutes, with the clusters of all users.
    """
    metadata = deleted.metadata
    index_key = (metadata.namespace, child_names.label_value(metadata.name))
    autoscalers = [a for a in state.autoscalers.by_index(index_key) if a.deleting is None]
    if not autoscalers:
        return
    found = await kube.find(WORK_PLANS, metadata.name, metadata.namespace)
    if found is not None:
        return  # Its successor may own them, or the informer was wrong.
    for autoscaler in autoscalers:
        name = autoscaler.name
        await kube.delete(DASK_AUTOSCALERS, name, metadata.namespace, uid=autoscaler.uid)
        _log.info("deleted DaskAutoscaler %s of a deleted WorkPlan", name)


async def _is_gone(kube: KubeClient, namespace: str, cluster: str) -> bool:
    """Whether a DaskCluster does not exist or is being deleted; KindMissing is no answer."""
    found = await kube.find(DASK_CLUSTERS, cluster, namespace)
    return found is None or "deletionTimestamp" in found["metadata"]


async def _attempt(key: ObjectKey, request: Awaitable[object]) -> None:
    try:
        await request
    except (PermanentError, TransientError) as error:
        # Most likely it is gone; if not, the next round tries again.
        _log.debug("%s was not cleaned up: %s", key, error)
