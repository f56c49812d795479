"""Reads a WorkPlan and its children from the API server, past the informers.

Informers may be behind by any time: a watch that hangs shows a run that has ended long ago as
running, and an object that was just created as absent. Whatever ends a run or deletes something is
therefore decided once more from what is read here; after a change of leaders also what creates.
"""

from __future__ import annotations

import asyncio
from typing import Any

from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kube_errors import KindMissing, KubeUnreachable
from voxk8s.cluster.resources import DASK_CLUSTERS, EVENTS, WORKLOADS
from voxk8s.constants import LABEL_QUEUE
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.informer import Informer


async def read_live(
    kube: KubeClient, workplan: WorkPlanResource, cached: ClusterState
) -> ClusterState | None:
    """Return the WorkPlan and its children as they are now; None if it does not exist any more.

    `cached` takes the WorkPlan in, too. Events are taken from it, since they only explain, and
    ResourceFlavors, which are not children. Raises the errors of the API server, and
    KubeUnreachable if it serves only some of the kinds of dask-kubernetes.
    """
    metadata = workplan.metadata
    found = await kube.find(cached.workplans.resource, metadata.name, metadata.namespace)
    if found is None or found["metadata"]["uid"] != metadata.uid:
        return None
    cached.workplans.note_written(found)
    live = ClusterState(lambda _: None, lambda _: None, kueue=cached.kueue)
    live.flavors = cached.flavors
    live.failed_creates, live.cluster_errors = cached.failed_creates, cached.cluster_errors
    live.workplans.replace([found])
    selector = child_names.label_selector(workplan)
    children = [
        each
        for each in live.informers
        if each.resource != EVENTS and each is not live.workplans and each is not live.flavors
    ]
    key = (metadata.namespace, child_names.label_value(metadata.name))
    if LABEL_QUEUE not in found["metadata"].get("labels", {}) and not cached.workloads.by_index(
        key
    ):
        # Kueue may be out of order, and others must not wait for it.
        children = [each for each in children if each.resource != WORKLOADS]
    listings = await asyncio.gather(
        *(_list(kube, informer, metadata.namespace, selector) for informer in children)
    )
    dask = {
        items is None
        for informer, items in zip(children, listings, strict=True)
        if informer.resource.group == DASK_CLUSTERS.group
    }
    if len(dask) > 1:
        raise KubeUnreachable("the API server serves only some kinds of dask-kubernetes")
    for informer, items in zip(children, listings, strict=True):
        informer.replace(items or [])
    return live


async def _list(
    kube: KubeClient, informer: Informer[Any], namespace: str, selector: str
) -> list[KubeObject] | None:
    """Return the objects with a label, or None if the API server does not serve the kind."""
    try:
        return (await kube.list(informer.resource, namespace, label_selector=selector)).items
    except KindMissing:
        return None
