"""The Dask cluster of a run, as dask-kubernetes' resources."""

from __future__ import annotations

from typing import Final

from voxk8s.api import PodTemplate, Resources, WorkPlanResource
from voxk8s.cluster import child_names
from voxk8s.cluster.defaults import Defaults, StoreTarget
from voxk8s.cluster.pod_template import (
    SCRATCH,
    Manifest,
    container,
    environment,
    owned_object,
    pod_metadata,
    pod_spec,
    single_thread_env,
    store_env,
)
from voxk8s.cluster.quantities import parse_quantity
from voxk8s.cluster.rbac import COMPUTE_ACCOUNT
from voxk8s.cluster.resources import DASK_AUTOSCALERS, DASK_CLUSTERS

SCHEDULER_PORT: Final = 8786
DASHBOARD_PORT: Final = 8787
WORKER_HEALTH_PORT: Final = 8788

# Without `scheduler.api` the autoscaler falls back to RPC and then kills the newest workers.
_ROUTES: Final = str(
    [
        "distributed.http.scheduler.prometheus",
        "distributed.http.scheduler.info",
        "distributed.http.scheduler.json",
        "distributed.http.health",
        "distributed.http.proxy",
        "distributed.http.statics",
        "distributed.http.scheduler.api",
    ]
)


def build_dask_cluster(
    workplan: WorkPlanResource, defaults: Defaults, store: StoreTarget, *, workers: int
) -> Manifest:
    """Build the DaskCluster that starts with this many workers.

    Its name is a hash of all but that number: dask-kubernetes ignores changes of anything else, so
    a different cluster needs a different name. Apply it once: applied again with another number of
    workers it would scale the cluster against its autoscaler.
    """
    spec: Manifest = {
        "scheduler": _scheduler(workplan, defaults, store),
        "worker": _worker(workplan, defaults, store),
    }
    name = child_names.child_name(workplan, spec)
    spec["scheduler"]["service"]["selector"]["dask.org/cluster-name"] = name
    spec["worker"]["replicas"] = workers
    head = owned_object(
        workplan,
        DASK_CLUSTERS,
        name,
        child_names.labels(workplan, "cluster", defaults.version),
    )
    return head | {"spec": spec}


def build_dask_autoscaler(
    workplan: WorkPlanResource, defaults: Defaults, cluster: str, *, minimum: int
) -> Manifest:
    """Build the DaskAutoscaler of a cluster; create it once the scheduler is available.

    Created earlier, its first look fails and the next one comes a minute later. It takes idle
    workers away within seconds: raise `minimum` for a burst that is known to come.
    """
    wanted = workplan.spec.cluster
    head = owned_object(
        workplan,
        DASK_AUTOSCALERS,
        cluster,
        child_names.labels(workplan, "autoscaler", defaults.version),
    )
    return head | {
        "spec": {
            "cluster": cluster,
            "minimum": min(max(minimum, wanted.min_workers), wanted.max_workers),
            "maximum": wanted.max_workers,
        }
    }


def scheduler_address(cluster: str, namespace: str) -> str:
    """Give the address at which a cluster's scheduler serves clients and workers."""
    return f"tcp://{cluster}-scheduler.{namespace}.svc.cluster.local:{SCHEDULER_PORT}"


def dashboard_url(cluster: str, namespace: str) -> str:
    """Give the address of a cluster's dashboard, within Kubernetes."""
    return f"http://{cluster}-scheduler.{namespace}.svc.cluster.local:{DASHBOARD_PORT}/status"


def _scheduler(workplan: WorkPlanResource, defaults: Defaults, store: StoreTarget) -> Manifest:
    shape = workplan.spec.cluster.scheduler or PodTemplate()
    env = environment(
        shape,
        defaults,
        store_env(store, credentials=False),
        [
            ("DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES", _ROUTES),
            # 1.1, the default, costs 2-3 ms for each small task.
            ("DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION", "inf"),
            # How many workers an operation may take down with it, beside the first: restarts of a
            # worker that is killed for memory wait ever longer, and the engine tries again itself.
            ("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "1"),
        ],
    )
    main = container(
        "scheduler",
        ["dask", "scheduler", "--host", "0.0.0.0"],  # noqa: S104 -- guarded by a NetworkPolicy
        env,
        workplan,
        defaults,
        shape.resources or defaults.scheduler,
    )
    main["ports"] = [
        {"name": "tcp-comm", "containerPort": SCHEDULER_PORT, "protocol": "TCP"},
        {"name": "http-dashboard", "containerPort": DASHBOARD_PORT, "protocol": "TCP"},
    ]
    main["readinessProbe"] = _health("http-dashboard")
    main["livenessProbe"] = _health("http-dashboard") | {
        "initialDelaySeconds": 15,
        "periodSeconds": 20,
        "timeoutSeconds": 10,
        "failureThreshold": 6,
    }
    return {
        "metadata": pod_metadata(
            shape, child_names.labels(workplan, "scheduler", defaults.version)
        ),
        "spec": pod_spec(
            main, shape, workplan, defaults, service_account=COMPUTE_ACCOUNT, token=False
        ),
        "service": {
            "type": "ClusterIP",
            "selector": {"dask.org/component": "scheduler"},
            "ports": [
                {
                    "name": "tcp-comm",
                    "protocol": "TCP",
                    "port": SCHEDULER_PORT,
                    "targetPort": "tcp-comm",
                },
                {
                    "name": "http-dashboard",
                    "protocol": "TCP",
                    "port": DASHBOARD_PORT,
                    "targetPort": "http-dashboard",
                },
            ],
        },
    }


def _worker(workplan: WorkPlanResource, defaults: Defaults, store: StoreTarget) -> Manifest:
    shape = workplan.spec.cluster.worker or PodTemplate()
    resources = shape.resources or defaults.worker
    command = [
        "dask",
        "worker",
        "--name",
        "$(DASK_WORKER_NAME)",
        "--no-nanny",
        "--no-dashboard",
        "--dashboard-address",
        f":{WORKER_HEALTH_PORT}",
        "--nthreads",
        str(workplan.spec.cluster.threads_per_worker),
        "--memory-limit",
        _memory_limit(resources),
        "--local-directory",
        f"{SCRATCH}/dask",
        "--death-timeout",
        "60",
    ]
    env = environment(
        shape,
        defaults,
        store_env(store, credentials=True),
        single_thread_env(),
        # A nanny sets this for its worker; without it freed memory is not given back.
        [("MALLOC_TRIM_THRESHOLD_", "65536")],
    )
    main = container("worker", command, env, workplan, defaults, resources)
    main["ports"] = [
        {"name": "http-health", "containerPort": WORKER_HEALTH_PORT, "protocol": "TCP"}
    ]
    main["readinessProbe"] = _health("http-health")
    return {
        "metadata": pod_metadata(shape, child_names.labels(workplan, "worker", defaults.version)),
        "spec": pod_spec(
            main, shape, workplan, defaults, service_account=COMPUTE_ACCOUNT, token=False
        ),
    }


def _memory_limit(resources: Resources) -> str:
    """Tell the worker what it may use; `auto` would be its threads' share of the node."""
    limit = (resources.limits or {}).get("memory")
    return "auto" if limit is None else str(int(parse_quantity(limit)))


def _health(port: str) -> Manifest:
    """Look at once and every second: the usual delays would cost every run 5 to 15 seconds."""
    return {
        "httpGet": {"port": port, "path": "/health"},
        "initialDelaySeconds": 0,
        "periodSeconds": 1,
        "timeoutSeconds": 3,
        "failureThreshold": 3,
    }
