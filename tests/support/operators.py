"""An operator of this process over a real API server, and what dask-kubernetes would do there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from tests.support import workplans
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.kube_client import Decoder, KubeClient, KubeObject, ListPage, WatchEvent
from voxk8s.cluster.kube_errors import AlreadyExists, NotFound
from voxk8s.cluster.reflector import list_and_watch
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    DASK_WORKER_GROUPS,
    DEPLOYMENTS,
    JOBS,
    NETWORK_POLICIES,
    PODS,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    WORK_PLANS,
    ApiResource,
)
from voxk8s.controller.config import Config, StoreConfig
from voxk8s.controller.operator import Operator
from voxk8s.controller.resolve.process_pool import ProcessPool
from voxk8s.controller.resolve.resolution_state import Resolved, ResolveResult
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.storage import StoreOptions

Probe = Callable[[], Awaitable[Any]]

_STORE = StoreConfig(
    url="s3://results",
    options=StoreOptions(endpoint="http://s3:8333", key="k", secret="s"),
    prefixes=("s3://results/",),
)


def config(*namespaces: str, **changes: Any) -> Config:
    """Return the configuration of an operator that leads at once and watches these namespaces."""
    settings: dict[str, Any] = {
        "defaults": Defaults(engine_image="img:1", operator_namespace="default"),
        "store": _STORE,
        "namespaces": namespaces,
        "identity": "op-1",
        "leader_election": False,
        "health_port": 0,
        "metrics_port": 0,
        **changes,
    }
    return Config(**settings)


class _NoProcesses(ProcessPool):
    """Resolves every plan to one answer, without processes."""

    __slots__ = ("answer",)
    answer: Callable[[ResolveRequest], ResolveResult]

    async def warm_up(self) -> None:
        """Start nothing."""

    async def resolve(self, request: ResolveRequest, attempt: int = 0) -> ResolveResult | None:
        """Give the answer of the test."""
        return self.answer(request)


def make(
    kube: KubeClient,
    settings: Config,
    answer: Callable[[ResolveRequest], ResolveResult] = lambda _: Resolved(threads=3),
) -> Operator:
    """Return an operator whose plans resolve to `answer`, without processes."""
    operator = Operator(kube, settings)
    pool = _NoProcesses(1, 2**30)
    pool.answer = answer
    operator._pool = operator._resolver.pool = pool
    return operator


@asynccontextmanager
async def running(
    kube: KubeClient,
    settings: Config,
    answer: Callable[[ResolveRequest], ResolveResult] = lambda _: Resolved(threads=3),
) -> AsyncIterator[Operator]:
    """Run an operator until the block ends; plans resolve to `answer`."""
    operator = make(kube, settings, answer)
    stop = asyncio.Event()
    task = asyncio.create_task(operator.run(stop))
    try:
        yield operator
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def follow_objects(
    kube: KubeClient,
    resource: ApiResource,
    namespace: str,
    decode: Decoder = msgspec.json.decode,
) -> AsyncIterator[KubeObject]:
    """Yield all objects, and then each that is added, changed or deleted, until cancelled."""
    async for notice in list_and_watch(kube, resource, namespace, decode=decode):
        match notice:
            case ListPage(items=items):
                for item in items:
                    yield item
            case WatchEvent(object=body):
                yield body


@dataclass(slots=True)
class DaskOperator:
    """Makes what dask-kubernetes makes of a DaskCluster, when a test says so."""

    kube: KubeClient
    namespace: str
    handled: set[str] = field(default_factory=set)

    async def handle_clusters(self, *, groups: bool = True) -> int:
        """Make scheduler and worker group of each new DaskCluster; return how many exist."""
        clusters = (await self.kube.list(DASK_CLUSTERS, self.namespace)).items
        for cluster in clusters:
            metadata = cluster["metadata"]
            if metadata["uid"] in self.handled or "deletionTimestamp" in metadata:
                continue
            try:
                await self._handle(cluster, groups)
            except AlreadyExists:
                continue  # What an earlier cluster of its name left is not collected yet.
            self.handled.add(metadata["uid"])
        return len(clusters)

    async def follow(self) -> None:
        """Make them for every DaskCluster, those to come included, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            async for cluster in follow_objects(self.kube, DASK_CLUSTERS, self.namespace):
                uid = cluster["metadata"]["uid"]
                if uid not in self.handled:
                    self.handled.add(uid)
                    tasks.create_task(self._handle(cluster, groups=True))

    async def _handle(self, cluster: KubeObject, groups: bool) -> None:
        name, labels = cluster["metadata"]["name"], cluster["metadata"]["labels"]
        labels = {**labels, "dask.org/cluster-name": name}
        owner = {
            "apiVersion": DASK_CLUSTERS.api_version, "kind": DASK_CLUSTERS.kind, "name": name,
            "uid": cluster["metadata"]["uid"],
        }  # fmt: skip
        scheduler = deployment(f"{name}-scheduler", labels, "scheduler")
        scheduler["metadata"]["ownerReferences"] = [owner]
        await self._make_available(scheduler)
        if groups:
            body = {
                "apiVersion": DASK_WORKER_GROUPS.api_version,
                "kind": DASK_WORKER_GROUPS.kind,
                "metadata": {
                    "name": f"{name}-default",
                    "labels": labels,
                    "ownerReferences": [owner],
                },
                "spec": {"cluster": name, "worker": cluster["spec"]["worker"]},
            }
            await self.kube.create(DASK_WORKER_GROUPS, body, self.namespace)

    async def _make_available(self, body: KubeObject) -> None:
        await self.kube.create(DEPLOYMENTS, body, self.namespace)
        status = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
        await self.kube.patch(
            DEPLOYMENTS, body["metadata"]["name"], {"status": status}, self.namespace,
            subresource="status",
        )  # fmt: skip


def deployment(name: str, labels: dict[str, str], component: str) -> KubeObject:
    """Return the Deployment of a scheduler or worker."""
    labels = {**labels, "dask.org/component": component}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "img:1"}]},
            },
        },
    }


async def apply_workplans(kube: KubeClient, namespace: str, count: int, **spec: Any) -> list[str]:
    """Create WorkPlans and return their names."""
    names = [f"wp-{place:02}" for place in range(count)]
    for name in names:
        body = workplans.workplan(name, workplans.addition(1.0, 2.0), **spec)
        await kube.create(WORK_PLANS, body, namespace)
    return names


async def start_runs(kube: KubeClient, namespace: str, count: int) -> DaskOperator:
    """Bring `count` WorkPlans to the state of runs with clusters, autoscalers and runners.

    An operator must be running.
    """
    await apply_workplans(kube, namespace, count)
    dask = DaskOperator(kube, namespace)
    await eventually(lambda: handled(dask, count), "every WorkPlan has a cluster", 90)
    for resource in (DASK_AUTOSCALERS, JOBS):
        probe = partial(exist, kube, resource, namespace, count)
        await eventually(probe, f"every WorkPlan has its {resource.kind}", 90)
    return dask


async def handled(dask: DaskOperator, count: int, *, groups: bool = True) -> bool:
    """Let dask-kubernetes work; return whether it has handled `count` clusters."""
    await dask.handle_clusters(groups=groups)
    return len(dask.handled) >= count


async def finish_job(kube: KubeClient, namespace: str) -> None:
    """Let the runner's Job end, as the Job controller does."""
    (job,) = (await kube.list(JOBS, namespace)).items
    stamp = "2026-01-02T03:04:05Z"
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": stamp, "lastProbeTime": stamp}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    status = {
        "conditions": conditions, "succeeded": 1, "startTime": stamp, "completionTime": stamp,
        "uncountedTerminatedPods": {},
    }  # fmt: skip
    await kube.patch(
        JOBS, job["metadata"]["name"], {"status": status}, namespace, subresource="status"
    )


async def create_operator_pod(kube: KubeClient, name: str) -> str:
    """Create the pod of an operator that runs as a process of its own; return its uid."""
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "operator", "image": "img:1"}],
            "automountServiceAccountToken": False,
        },
    }  # fmt: skip
    return str((await kube.create(PODS, pod, "default"))["metadata"]["uid"])


async def end_operator_pod(kube: KubeClient, name: str, message: str) -> None:
    """Write that a process of the pod has ended, with its termination message, as kubelets do."""
    ended = {"exitCode": 137, "reason": "Error", "message": message}
    state = {
        "name": "operator", "image": "img:1", "imageID": "", "ready": False, "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": ended},
    }  # fmt: skip
    status = {"phase": "Running", "containerStatuses": [state]}
    await kube.patch(PODS, name, {"status": status}, "default", subresource="status")


async def collect_garbage(kube: KubeClient, namespace: str) -> bool:
    """Let deleted accounts go, and first what they own, as the garbage collector does.

    Returns whether there were any.
    """
    accounts = (await kube.list(SERVICE_ACCOUNTS, namespace)).items
    deleted = [each["metadata"] for each in accounts if "deletionTimestamp" in each["metadata"]]
    uids = {metadata["uid"] for metadata in deleted}
    for kind in (ROLES, ROLE_BINDINGS, NETWORK_POLICIES, SECRETS) if deleted else ():
        for each in (await kube.list(kind, namespace)).items:
            if uids & {o["uid"] for o in each["metadata"].get("ownerReferences") or ()}:
                await kube.delete(kind, each["metadata"]["name"], namespace)
    for metadata in deleted:
        body = {"metadata": {"finalizers": None}}
        await kube.patch(SERVICE_ACCOUNTS, metadata["name"], body, namespace)
    return bool(deleted)


async def exist(kube: KubeClient, resource: ApiResource, namespace: str, count: int) -> bool:
    """Whether there are at least `count` objects of a kind."""
    return len((await kube.list(resource, namespace)).items) >= count


async def eventually(probe: Probe, what: str, seconds: float = 40.0, pause: float = 0.1) -> Any:
    """Ask `probe` until it gives something true and return that; fail saying what did not come."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        found = await probe()
        if found:
            return found
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"did not happen within {seconds:g} s: {what}")
        await asyncio.sleep(pause)


async def condition(kube: KubeClient, namespace: str, name: str, kind: str) -> dict[str, Any]:
    """Return a condition of a WorkPlan; empty if there is none."""
    try:
        found = await kube.get(WORK_PLANS, name, namespace)
    except NotFound:
        return {}
    conditions = (found.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == kind), {})


async def wait_for_condition(
    kube: KubeClient, namespace: str, name: str, kind: str, text: str, seconds: float = 40.0
) -> dict[str, Any]:
    """Wait until a condition has `text` in its reason or message, and return it."""
    found: dict[str, Any] = {}

    async def probe() -> bool:
        nonlocal found
        found = await condition(kube, namespace, name, kind)
        return text in f"{found.get('reason')} {found.get('message')}"

    try:
        await eventually(probe, "", seconds)
    except AssertionError:
        raise AssertionError(f"{kind} never had {text!r}; it is {found}") from None
    return found
