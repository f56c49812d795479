"""Example runs whose manifests the golden files hold."""

from __future__ import annotations

from typing import Any

from voxk8s.api.spec import Resources
from voxk8s.api.workplan import WorkPlanResource, decode_resource
from voxk8s.cluster import dask_cluster, network_policies, rbac, runner_job, worker_groups
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.kueue_workload import QueuePriority, build_workload
from voxk8s.cluster.resources import PRIORITY_CLASSES
from voxk8s.cluster.store_target import StoreTarget, build_credentials_secret
from voxk8s.storage import StoreOptions

Manifest = dict[str, Any]

PLAIN = Defaults(engine_image="registry.example/engine:1", version="0.1.0")
RICH = Defaults(
    engine_image="registry.example/engine:1",
    image_pull_policy="Always",
    image_pull_secrets=("registry",),
    worker=Resources(requests={"cpu": 2}, limits={"memory": "8Gi", "nvidia.com/gpu": 1}),
    run_as=None,
    tls=False,
    test_kernels=True,
    engine_env={"VOXK8S_STORE_POLICY": "all"},
    version="0.1.0",
)
STORE = StoreTarget(
    "s3://results/lab", "http://s3.example.svc.cluster.local:8333", "eu-south-1", "credentials"
)
CREDENTIALS = StoreOptions(key="key", secret="secret")


def work_plan(name: str = "brain", **spec: Any) -> WorkPlanResource:
    """Return a WorkPlan as the API server would."""
    return decode_resource(
        {
            "metadata": {"name": name, "namespace": "lab", "uid": "7d3c0f6e-0000"},
            "spec": {"source": {"plan": {"nodes": [], "goals": []}}, **spec},
        }
    )


SHAPED = work_plan(
    "Brain.of-a-patient-with-a-very-long-name-" + "x" * 60,
    source={"configMapRef": {"name": "programs", "key": "brain.imgql"}},
    cluster={
        "minWorkers": 1,
        "maxWorkers": 4,
        "threadsPerWorker": 2,
        "image": "registry.example/lab/engine:7",
        "imagePullSecrets": [{"name": "lab"}],
        "volumes": [{"claimName": "images"}, {"claimName": "masks.2026"}],
        "worker": {
            "resources": {"limits": {"memory": "1500M"}},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
            "affinity": {"nodeAffinity": {}},
            "priorityClassName": "low",
            "envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "A_"}],
            "runtimeClassName": "gvisor",
            "schedulerName": "volcano",
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["pacs.example"]}],
            "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}],
            "labels": {"team": "lab", "voxk8s.io/workplan": "another"},
            "annotations": {"note": "mine"},
            "env": [{"name": "HOME", "value": "/root"}, {"name": "MINE", "value": "1"}],
        },
    },
    retry={"limit": 1, "backoffSeconds": 0.5},
)


def manifests(
    workplan: WorkPlanResource,
    defaults: Defaults,
    store: StoreTarget,
    workers: int = 2,
    groups: dict[str, int] | None = None,
) -> list[Manifest]:
    """Build everything that one run consists of."""
    cluster = dask_cluster.build_dask_cluster(
        workplan, defaults, store, workers=workers, groups=groups or {}
    )
    name = cluster["metadata"]["name"]
    runner = runner_job.build_runner_job(
        workplan, defaults, store, cluster=name, keys=f"{name}-tls" if defaults.tls else "",
        offers=worker_groups.offers_of_run(workplan, defaults, groups or {}),
    )  # fmt: skip
    return [
        rbac.build_compute_account(workplan.metadata.namespace),
        rbac.build_runner_account(workplan, defaults),
        *rbac.build_runner_role(workplan, defaults, store),
        build_credentials_secret(store, workplan.metadata.namespace, CREDENTIALS),
        *network_policies.build_network_policies(workplan, defaults, store),
        cluster,
        dask_cluster.build_dask_autoscaler(workplan, defaults, name, minimum=workers),
        runner,
    ]


GROUPS = work_plan(
    "on-gpus",
    cluster={
        "workerGroups": [
            {
                "name": "gpu",
                "maxWorkers": 2,
                "threadsPerWorker": 1,
                "image": "registry.example/lab/engine:7",
                "worker": {
                    "resources": {"limits": {"memory": "16Gi", "nvidia.com/gpu": 1}},
                    "nodeSelector": {"accelerator": "a100"},
                    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
                },
            },
            {"name": "large", "maxWorkers": 3, "provides": {"MEMORY": 64}},
        ],
    },
)


def with_groups(run: list[Manifest], workplan: WorkPlanResource) -> list[Manifest]:
    """Add the worker groups of a run, and its Workload."""
    cluster, runner = only(run, "DaskCluster"), only(run, "Job")
    name = cluster["metadata"]["name"]
    counts = {"gpu": 2, "large": 1}
    groups = [
        worker_groups.build_worker_group(
            workplan, PLAIN, STORE, group, workers=counts[group.name], cluster=name, uid="u-c",
            keys=f"{name}-tls",
        )
        for group in workplan.spec.cluster.worker_groups or ()
    ]  # fmt: skip
    workload = build_workload(
        workplan, PLAIN.version, cluster, runner, queue="lab", priority=QueuePriority(0),
        workers=1, minimum=1,
        groups={
            group["metadata"]["labels"]["voxk8s.io/worker-group"]: (
                group["spec"]["worker"]["replicas"], group["spec"]["worker"]["spec"],
            )
            for group in groups
        },
    )  # fmt: skip
    return [*run, *groups, workload]


def with_quota(run: list[Manifest]) -> list[Manifest]:
    """Add the Workload of a run that asks for four workers and can do with one."""
    workload = build_workload(
        SHAPED, RICH.version, only(run, "DaskCluster"), only(run, "Job"), queue="lab",
        priority=QueuePriority(-7, PRIORITY_CLASSES, "low"), workers=4, minimum=1,
    )  # fmt: skip
    return [*run, workload]


def only(objects: list[Manifest], kind: str) -> Manifest:
    """Return the first object of a kind."""
    return next(each for each in objects if each["kind"] == kind)


GOLDEN: dict[str, list[Manifest]] = {
    "plain": manifests(work_plan(), PLAIN, STORE),
    "groups": with_groups(
        manifests(GROUPS, PLAIN, STORE, workers=1, groups={"gpu": 2, "large": 1}), GROUPS
    ),
    "shaped": with_quota(manifests(SHAPED, RICH, StoreTarget("s3://results"))),
}


def container(manifest: Manifest, *path: str) -> Manifest:
    """Return the container of the pod spec at a path."""
    for step in path:
        manifest = manifest[step]
    found: Manifest = manifest["containers"][0]
    return found


def env(container: Manifest) -> Manifest:
    """Return a container's environment by name."""
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}


SCHEDULER = container(only(GOLDEN["plain"], "DaskCluster"), "spec", "scheduler", "spec")
WORKER = container(only(GOLDEN["plain"], "DaskCluster"), "spec", "worker", "spec")
RUNNER = container(only(GOLDEN["plain"], "Job"), "spec", "template", "spec")
