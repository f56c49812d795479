"""Manifests of the DaskCluster and DaskAutoscaler of a run, for dask-kubernetes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from voxk8s import constants
from voxk8s.api.spec import PodTemplate, Resources
from voxk8s.api.workplan import WorkPlanResource
from voxk8s.cluster import child_names, tls
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.pod_template import (
    SCRATCH,
    Manifest,
    container,
    container_env,
    owned_object,
    pod_metadata,
    pod_spec,
    resources_of,
    single_thread_env,
)
from voxk8s.cluster.quantities import parse_quantity
from voxk8s.cluster.rbac import COMPUTE_ACCOUNT, named_account
from voxk8s.cluster.resources import DASK_AUTOSCALERS, DASK_CLUSTERS
from voxk8s.cluster.run_inputs import input_env, mount_volumes, volume_env
from voxk8s.cluster.store_target import StoreTarget, store_env
from voxk8s.kernels.worker_resources import describe

SCHEDULER_PORT: Final = 8786
DASHBOARD_PORT: Final = 8787
WORKER_HEALTH_PORT: Final = 8788

# Without `scheduler.api` the autoscaler falls back to RPC and then removes the newest workers.
_ROUTES: Final = (
    "distributed.http.scheduler.prometheus",
    "distributed.http.scheduler.info",
    "distributed.http.scheduler.json",
    "distributed.http.health",
    "distributed.http.proxy",
    "distributed.http.statics",
    "distributed.http.scheduler.api",
)
_DASHBOARD: Final = "voxk8s.execution.scheduler_dashboard"
"""Loads the dashboard when somebody looks at it."""
_SCALING: Final = "voxk8s.execution.scheduler_scaling"
"""Keeps the autoscaler to the default group."""
_GPUS: Final = ("nvidia.com/gpu", "amd.com/gpu")

_TASKS: Final = "voxk8s.execution.worker.run_task"
_WAIT: Final = "voxk8s.execution.worker.await_scheduler"
_QUIET_LOOP: Final = (
    # A profile of each thread a hundred times a second, and a wakening fifty times a second that
    # measures how late it is, cost 3 % of a core, also of an idle worker, and take the interpreter
    # from the kernels. Whoever wants Dask's profile sets these variables.
    ("DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED", "false"),
    ("DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL", "500ms"),
    # A quarter of what a worker's event loop did was to look at its memory ten times a second, and
    # at the node's disks. The runner asks once a second what workers use.
    ("DASK_DISTRIBUTED__WORKER__MEMORY__MONITOR_INTERVAL", "250ms"),
    ("DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL", "1s"),
    ("DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__DISK", "false"),
)


def build_dask_cluster(
    workplan: WorkPlanResource,
    defaults: Defaults,
    store: StoreTarget,
    *,
    workers: int,
    account: str = "",
    groups: Mapping[str, int] = MappingProxyType({}),
) -> Manifest:
    """Build the DaskCluster of a run, with `workers` workers at its start.

    `account` is the uid of the run's account, by which its keys for TLS are named. `groups` are
    the workers of other groups than the default one, by name: an annotation has them, by which they
    are created.

    Its name contains a hash of the spec without that number: dask-kubernetes ignores all other
    changes, so that a changed spec needs a new cluster. Apply it once: applying it again with
    another number of workers would interfere with the autoscaler.
    """
    spec: Manifest = {
        "scheduler": _scheduler(workplan, defaults, store),
        "worker": worker_template(workplan, defaults, store),
    }
    name = child_names.child_name(workplan, spec)
    spec["scheduler"]["service"]["selector"]["dask.org/cluster-name"] = name
    spec["worker"]["replicas"] = workers
    if defaults.tls:
        keys = tls.secret_name(name, account)
        tls.mount_keys(spec["scheduler"]["spec"], keys)
        encrypt_worker(spec["worker"], name, workplan.metadata.namespace, keys)
    head = owned_object(
        workplan,
        DASK_CLUSTERS,
        name,
        child_names.child_labels(workplan, "cluster", defaults.version),
    )
    if groups:
        annotations = {constants.ANNOTATION_WORKER_GROUPS: json.dumps(dict(groups))}
        head["metadata"]["annotations"] = annotations
    return head | {"spec": spec}


def encrypt_worker(template: Manifest, cluster: str, namespace: str, keys: str) -> None:
    """Make the workers of a template speak TLS, with the keys of the Secret `keys`."""
    # dask-kubernetes tells workers a tcp:// address by a variable.
    address = scheduler_address(cluster, namespace, encrypted=True)
    template["spec"]["containers"][0]["command"].append(address)
    tls.mount_keys(template["spec"], keys)


def build_dask_autoscaler(
    workplan: WorkPlanResource, defaults: Defaults, cluster: str, *, minimum: int
) -> Manifest:
    """Build the DaskAutoscaler of a cluster; to be created once the scheduler is available.

    If it is created earlier, its first attempt fails and the next one follows a minute later. It
    removes idle workers within seconds: raise `minimum` ahead of a burst that is known to come.
    """
    wanted = workplan.spec.cluster
    head = owned_object(
        workplan,
        DASK_AUTOSCALERS,
        cluster,
        child_names.child_labels(workplan, "autoscaler", defaults.version),
    )
    return head | {
        "spec": {
            "cluster": cluster,
            "minimum": min(max(minimum, wanted.min_workers), wanted.max_workers),
            "maximum": wanted.max_workers,
        }
    }


def scheduler_address(cluster: str, namespace: str, *, encrypted: bool) -> str:
    """Return the address of a cluster's scheduler for clients and workers."""
    scheme = "tls" if encrypted else "tcp"
    return f"{scheme}://{cluster}-scheduler.{namespace}.svc.cluster.local:{SCHEDULER_PORT}"


def dashboard_url(cluster: str, namespace: str) -> str:
    """Return the URL of a cluster's dashboard inside the Kubernetes cluster."""
    return f"http://{cluster}-scheduler.{namespace}.svc.cluster.local:{DASHBOARD_PORT}/status"


def _scheduler(workplan: WorkPlanResource, defaults: Defaults, store: StoreTarget) -> Manifest:
    template = workplan.spec.cluster.scheduler or PodTemplate()
    scales_groups = bool(workplan.spec.cluster.worker_groups)
    offers = worker_offers(workplan, defaults) if scales_groups else {}
    preloads = [_DASHBOARD, *([_SCALING] if scales_groups else [])]
    env = container_env(
        template,
        defaults,
        store_env(store, credentials=False),
        tls.tls_env() if defaults.tls else [],
        [("DASK_DISTRIBUTED__SCHEDULER__PRELOAD", str(preloads))],
        [(constants.ENV_WORKER_OFFERS, json.dumps([offers]))] if offers else [],
        [
            (
                "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES",
                str([_SCALING, *_ROUTES] if scales_groups else [*_ROUTES]),
            ),
            # The default, 1.1, costs 2-3 ms per small task.
            ("DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION", "inf"),
            # An operation may kill one more worker after the first: Kubernetes delays each restart
            # of a worker that ran out of memory longer, and the engine retries by itself.
            ("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "1"),
        ],
        base=_QUIET_LOOP,
    )
    main = container(
        "scheduler",
        # The address is guarded by a NetworkPolicy.
        ["dask", "scheduler", "--host", "0.0.0.0", "--no-dashboard"],  # noqa: S104
        env,
        workplan,
        defaults,
        resources_of(template.resources, defaults.scheduler, defaults.policy.limits),
    )
    main["ports"] = [
        {"name": "tcp-comm", "containerPort": SCHEDULER_PORT, "protocol": "TCP"},
        {"name": "http-dashboard", "containerPort": DASHBOARD_PORT, "protocol": "TCP"},
    ]
    main["readinessProbe"] = _health_probe("http-dashboard")
    main["livenessProbe"] = _health_probe("http-dashboard") | {
        "initialDelaySeconds": 15,
        "periodSeconds": 20,
        "timeoutSeconds": 10,
        "failureThreshold": 6,
    }
    return {
        "metadata": pod_metadata(
            template, child_names.child_labels(workplan, "scheduler", defaults.version)
        ),
        "spec": pod_spec(
            main, template, workplan, defaults, service_account=COMPUTE_ACCOUNT, token=False
        ),
        "service": {
            "type": "ClusterIP",
            "selector": {"dask.org/component": "scheduler"},
            # Runner and workers connect as soon as the scheduler listens. Probes come once a second
            # only, and the Service's rules follow later still.
            "publishNotReadyAddresses": True,
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


def worker_offers(
    workplan: WorkPlanResource, defaults: Defaults, provides: Mapping[str, int] | None = None
) -> dict[str, float]:
    """Return the resources that Dask workers of a run offer to operations: GPUs, and `provides`."""
    template = workplan.spec.cluster.worker or PodTemplate()
    limits = resources_of(template.resources, defaults.worker, defaults.policy.limits).limits or {}
    # A number below 0 is an amount to the CRD, and its pods are refused.
    gpus = sum(int(parse_quantity(limits[name])) for name in _GPUS if name in limits)
    found: dict[str, float] = {"GPU": gpus} if gpus > 0 else {}
    return found | {name: float(amount) for name, amount in (provides or {}).items()}


def worker_template(
    workplan: WorkPlanResource,
    defaults: Defaults,
    store: StoreTarget,
    offers: Mapping[str, float] | None = None,
) -> Manifest:
    """Build metadata and spec of the worker pods of a run; `offers` as from `worker_offers`."""
    template = workplan.spec.cluster.worker or PodTemplate()
    resources = resources_of(template.resources, defaults.worker, defaults.policy.limits)
    offers = worker_offers(workplan, defaults) if offers is None else offers
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
        *(["--resources", describe(tuple(sorted(offers.items())))] if offers else []),
        # Imported while the runner still looks up what is known, not with the first task.
        "--preload",
        _TASKS,
        "--preload",
        _WAIT,
    ]
    env = container_env(
        template,
        defaults,
        store_env(store, credentials=True),
        input_env(
            defaults.inputs,
            defaults.blocked_cidrs,
            defaults.allowed_cidrs,
            store.domains.own,
            chart_server=store.chart_server,
        ),
        volume_env(workplan),
        tls.tls_env() if defaults.tls else [],
        single_thread_env(),
        # A nanny sets this for its worker; without it freed memory is not returned to the system.
        [("MALLOC_TRIM_THRESHOLD_", "65536")],
        base=_QUIET_LOOP,
    )
    main = container("worker", command, env, workplan, defaults, resources)
    main["ports"] = [
        {"name": "http-health", "containerPort": WORKER_HEALTH_PORT, "protocol": "TCP"}
    ]
    main["readinessProbe"] = _health_probe("http-health")
    account = named_account(workplan, store) or COMPUTE_ACCOUNT
    spec = pod_spec(main, template, workplan, defaults, service_account=account, token=False)
    mount_volumes(spec, workplan)
    labels = child_names.child_labels(workplan, "worker", defaults.version)
    return {"metadata": pod_metadata(template, labels), "spec": spec}


def _memory_limit(resources: Resources) -> str:
    """Return the memory limit in bytes, or `auto`: a share of the node's memory."""
    limit = (resources.limits or {}).get("memory")
    return "auto" if limit is None else str(int(parse_quantity(limit)))


def _health_probe(port: str) -> Manifest:
    """Build a probe that starts at once and repeats every second.

    Kubernetes' default delays would add 5 to 15 seconds to every run.
    """
    return {
        "httpGet": {"port": port, "path": "/health"},
        "initialDelaySeconds": 0,
        "periodSeconds": 1,
        "timeoutSeconds": 3,
        "failureThreshold": 3,
    }
