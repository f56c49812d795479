"""Worker groups of a run beside the default one: what they offer, and their DaskWorkerGroups.

dask-kubernetes' autoscaler knows only the default group, and has the scheduler choose the workers
to remove, of any group. So a group here has its number of workers from the beginning to the end of
the run, and the scheduler leaves it alone (`voxk8s.execution.scheduler_scaling`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from voxk8s import constants
from voxk8s.api.spec import WorkerGroup
from voxk8s.api.workplan import OwnerReference, WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.dask_cluster import encrypt_worker, worker_offers, worker_template
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.pod_template import Manifest, owned_by, owned_object
from voxk8s.cluster.resources import DASK_CLUSTERS, DASK_WORKER_GROUPS
from voxk8s.cluster.store_target import StoreTarget
from voxk8s.costs.group_workers import RunWorkers, WorkerKind

DEFAULT_GROUP: Final = "default"
"""The workers that `spec.cluster.worker` describes."""


def run_workers(workplan: WorkPlanResource, defaults: Defaults) -> RunWorkers:
    """Return the workers that a run may have; raises InvalidUsage for an amount that is none."""
    cluster = workplan.spec.cluster
    return RunWorkers(
        WorkerKind(
            DEFAULT_GROUP,
            cluster.max_workers,
            cluster.threads_per_worker,
            worker_offers(workplan, defaults),
        ),
        tuple(
            WorkerKind(
                group.name,
                group.max_workers,
                group.threads_per_worker or cluster.threads_per_worker,
                worker_offers(as_default(workplan, group), defaults, group.provides),
                group.min_workers,
            )
            for group in cluster.worker_groups or ()
        ),
    )


def offers_of_run(
    workplan: WorkPlanResource, defaults: Defaults, groups: Collection[str]
) -> list[dict[str, float]]:
    """Return what the workers of a run with these groups offer, of those that offer anything."""
    run = run_workers(workplan, defaults)
    kinds = (run.default, *(kind for kind in run.others if kind.name in groups))
    return [dict(kind.offers) for kind in kinds if kind.offers]


def as_default(workplan: WorkPlanResource, group: WorkerGroup) -> WorkPlanResource:
    """Return a WorkPlan whose default workers are those of a group."""
    cluster = workplan.spec.cluster
    changed = msgspec.structs.replace(
        cluster,
        worker=group.worker,
        image=group.image or cluster.image,
        threads_per_worker=group.threads_per_worker or cluster.threads_per_worker,
    )
    return msgspec.structs.replace(
        workplan, spec=msgspec.structs.replace(workplan.spec, cluster=changed)
    )


def find_group(workplan: WorkPlanResource, name: str) -> WorkerGroup | None:
    """Return a group of the spec by its name."""
    groups = workplan.spec.cluster.worker_groups or ()
    return next((group for group in groups if group.name == name), None)


def group_template(
    workplan: WorkPlanResource, defaults: Defaults, store: StoreTarget, group: WorkerGroup
) -> Manifest:
    """Build metadata and spec of the pods of a group."""
    changed = as_default(workplan, group)
    offers = worker_offers(changed, defaults, group.provides) | {constants.GROUP_MARK: 1.0}
    template = worker_template(changed, defaults, store, offers)
    template["metadata"]["labels"][constants.LABEL_WORKER_GROUP] = group.name
    for spread in template["spec"].get("topologySpreadConstraints", ()):
        labels = spread["labelSelector"]["matchLabels"] | {constants.LABEL_WORKER_GROUP: group.name}
        spread["labelSelector"] = {"matchLabels": labels}
    return template


def build_worker_group(
    workplan: WorkPlanResource,
    defaults: Defaults,
    store: StoreTarget,
    group: WorkerGroup,
    *,
    workers: int,
    cluster: str,
    uid: str,
    keys: str,
) -> Manifest:
    """Build the DaskWorkerGroup of a group of `workers` workers.

    `cluster` and `uid` are those of the DaskCluster, which owns it; `keys` is the Secret with its
    keys for TLS, empty without TLS.
    """
    template = group_template(workplan, defaults, store, group)
    if keys:
        encrypt_worker(template, cluster, workplan.metadata.namespace, keys)
    labels = child_names.child_labels(workplan, "workergroup", defaults.version)
    head = owned_object(
        workplan,
        DASK_WORKER_GROUPS,
        f"{cluster}-{group.name}",
        labels | {constants.LABEL_WORKER_GROUP: group.name, "dask.org/cluster-name": cluster},
    )
    owner = OwnerReference(
        api_version=DASK_CLUSTERS.api_version,
        kind=DASK_CLUSTERS.kind,
        name=cluster,
        uid=uid,
        controller=True,
    )
    spec = {"cluster": cluster, "worker": template | {"replicas": workers}}
    return owned_by(head, owner) | {"spec": spec}
