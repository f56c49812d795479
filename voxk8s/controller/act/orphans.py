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

from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import DASK_AUTOSCALERS, DASK_WORKER_GROUPS
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
    """Yield deleted autoscalers that only the dask operator's finalizer keeps."""
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
    """Yield worker groups of the operator whose cluster does not exist."""
    if not state.clusters.synced.is_set():
        return
    for key, group in state.worker_groups.items():
        if not group.managed or group.created is None or now - group.created < ORPHAN_GRACE:
            continue
        if state.clusters.get(key.namespace, group.cluster) is None:
            yield key, group


async def cleanup_orphans(
    kube: KubeClient, state: ClusterState, now: Callable[[], datetime]
) -> None:
    """Remove the finalizers of stuck autoscalers and delete orphaned groups, until cancelled."""
    while True:
        await asyncio.sleep(_INTERVAL)
        for key, autoscaler in list(stuck_autoscalers(state, now())):
            kept = [finalizer for finalizer in autoscaler.finalizers if finalizer != FINALIZER]
            # The uid protects a new autoscaler of the same name.
            changes = {"metadata": {"uid": autoscaler.uid, "finalizers": kept}}
            await _attempt(
                f"removed the finalizer of DaskAutoscaler {key}",
                kube.patch(DASK_AUTOSCALERS, key.name, changes, key.namespace),
            )
        for key, group in list(orphaned_worker_groups(state, now())):
            await _attempt(
                f"deleted orphaned DaskWorkerGroup {key}",
                kube.delete(DASK_WORKER_GROUPS, key.name, key.namespace, uid=group.uid),
            )


async def _attempt(message: str, request: Awaitable[object]) -> None:
    try:
        await request
    except (PermanentError, TransientError) as error:
        # Most likely it is gone; if not, the next round tries again.
        _log.debug("not %s: %s", message, error)
    else:
        _log.info("%s", message)
