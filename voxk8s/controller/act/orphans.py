"""Lets go what the dask operator forgets, also when the WorkPlan is gone already.

The dask operator keeps a finalizer on every DaskAutoscaler only to stop a timer of its own. When
the DaskCluster goes while that timer or the adoption of the autoscaler is under way, the finalizer
stays for 60 s. It protects nothing.

A DaskWorkerGroup gets its owner after its workers: one whose cluster goes in between, or while the
dask operator restarts, belongs to nobody, and its workers would look for a scheduler for ever.
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
GRACE = timedelta(seconds=3)
"""How long the dask operator may take to let an autoscaler go."""
ORPHAN_GRACE = timedelta(seconds=15)
"""How long a worker group may be seen without its cluster, which another watch tells of."""
_LOOK = 1.0


def stuck_autoscalers(
    state: ClusterState, now: datetime
) -> Iterator[tuple[ObjectKey, AutoscalerView]]:
    """Give the autoscalers that are to go, and nothing but the dask operator's finalizer holds."""
    for key, scaler in state.autoscalers.items():
        if scaler.deleting is None or now - scaler.deleting < GRACE:
            continue
        cluster = state.clusters.get(key[0], scaler.cluster)
        if FINALIZER in scaler.finalizers and (cluster is None or cluster.deleting is not None):
            yield key, scaler


def orphans(state: ClusterState, now: datetime) -> Iterator[tuple[ObjectKey, WorkerGroupView]]:
    """Give the worker groups whose cluster is gone."""
    if not state.clusters.synced.is_set():
        return
    for key, group in state.worker_groups.items():
        if not group.managed or group.created is None or now - group.created < ORPHAN_GRACE:
            continue
        if state.clusters.get(key[0], group.cluster) is None:
            yield key, group


async def cleanup_orphans(
    kube: KubeClient, state: ClusterState, now: Callable[[], datetime]
) -> None:
    """Let stuck_autoscalers autoscalers and worker groups go, for ever."""
    while True:
        await asyncio.sleep(_LOOK)
        for (namespace, name), scaler in list(stuck_autoscalers(state, now())):
            kept = [finalizer for finalizer in scaler.finalizers if finalizer != FINALIZER]
            # The uid keeps it off a successor of the same name.
            changes = {"metadata": {"uid": scaler.uid, "finalizers": kept}}
            await _try(
                f"DaskAutoscaler {namespace}/{name}",
                kube.patch(DASK_AUTOSCALERS, name, changes, namespace),
            )
        for (namespace, name), group in list(orphans(state, now())):
            await _try(
                f"DaskWorkerGroup {namespace}/{name}",
                kube.delete(DASK_WORKER_GROUPS, name, namespace, uid=group.uid),
            )


async def _try(what: str, doing: Awaitable[object]) -> None:
    try:
        await doing
    except (PermanentError, TransientError) as error:
        # Gone meanwhile, most likely; if not, the next look tries again.
        _log.debug("%s: %s", what, error)
    else:
        _log.info("%s is let go", what)
