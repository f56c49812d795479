"""Lets autoscalers go that the dask operator forgets: a deletion must not take a minute.

The dask operator keeps a finalizer on every DaskAutoscaler only to stop a timer of its own. When
the DaskCluster goes while that timer or the adoption of the autoscaler is under way, the finalizer
stays for 60 s, also after the WorkPlan is gone. It protects nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from voxk8s.cluster.kinds import DASK_AUTOSCALERS
from voxk8s.cluster.kube import Kube
from voxk8s.controller.caches import Group
from voxk8s.controller.cluster_state import ClusterState
from voxk8s.controller.observed import AutoscalerView
from voxk8s.errors import PermanentError, TransientError

_log = logging.getLogger(__name__)

FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"
GRACE = timedelta(seconds=3)
"""How long the dask operator may take to let an autoscaler go."""
_LOOK = 1.0


def forgotten(state: ClusterState, now: datetime) -> Iterator[tuple[Group, AutoscalerView]]:
    """Give the autoscalers that are to go, and nothing but the dask operator's finalizer holds."""
    for key, scaler in state.autoscalers.items():
        if scaler.deleting is None or now - scaler.deleting < GRACE:
            continue
        cluster = state.clusters.get(key[0], scaler.cluster)
        if FINALIZER in scaler.finalizers and (cluster is None or cluster.deleting is not None):
            yield key, scaler


async def keep_house(kube: Kube, state: ClusterState, now: Callable[[], datetime]) -> None:
    """Let forgotten autoscalers go, for ever."""
    while True:
        await asyncio.sleep(_LOOK)
        for (namespace, name), scaler in list(forgotten(state, now())):
            kept = [finalizer for finalizer in scaler.finalizers if finalizer != FINALIZER]
            changes = {"metadata": {"finalizers": kept}}
            try:
                await kube.patch(DASK_AUTOSCALERS, name, changes, namespace)
            except (PermanentError, TransientError) as error:
                # Gone meanwhile, most likely; if not, the next look tries again.
                _log.debug("DaskAutoscaler %s/%s: %s", namespace, name, error)
            else:
                _log.info("DaskAutoscaler %s/%s is let go", namespace, name)
