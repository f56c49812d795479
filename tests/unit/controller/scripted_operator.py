"""The parts of an operator around a scripted API server."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from tests.support.scripted_kube import ScriptedKube
from tests.unit.controller.observed_builders import START
from voxk8s.cluster.defaults import Defaults
from voxk8s.controller.act.action_executor import ActionExecutor
from voxk8s.controller.act.children import Children
from voxk8s.controller.act.event_recorder import EventRecorder
from voxk8s.controller.act.quota_writer import QuotaWriter
from voxk8s.controller.act.status_writer import StatusWriter
from voxk8s.controller.config import Config, StoreConfig
from voxk8s.controller.limits import Limits
from voxk8s.controller.metrics import Metrics
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.reconciler import Reconciler
from voxk8s.controller.resolve.process_pool import ProcessPool
from voxk8s.controller.resolve.resolution_state import Resolved
from voxk8s.controller.resolve.resolver import Resolver
from voxk8s.controller.start_queue import StartQueue
from voxk8s.controller.work_queue import ObjectKey, WorkQueue
from voxk8s.storage import StoreOptions

KEY = ObjectKey("ns", "wp")
STORE = StoreConfig(
    url="s3://results",
    options=StoreOptions(endpoint="http://s3:8333", key="k", secret="s"),
    prefixes=("s3://results/",),
)
CONFIG = Config(Defaults(engine_image="img:1"), STORE, identity="op-1")
FULLY_CACHED = Resolved(
    final_status={"progress": "1/1", "results": [{"goal": "sum", "kind": "print", "value": 8}]}
)


class ScriptedOperator:
    """The parts of an operator around a scripted API server, its own or that of another one."""

    def __init__(
        self,
        answers: list[Any],
        limits: Limits | None = None,
        server: ScriptedKube | None = None,
    ) -> None:
        self.kube = server or ScriptedKube()
        self.now = START
        self.queue = WorkQueue(self.seconds, chance=lambda: 0.0)
        self.state = ClusterState(self.queue.add, lambda plan: self.reconciler.forget(plan))
        self.resolver = Resolver(ProcessPool(1, 2**30), self.time)
        self.answers = answers
        kube: Any = self.kube
        for informer in self.state.informers:
            informer.replace(
                [
                    copy.deepcopy(each)
                    for (kind, _, _), each in self.kube.objects.items()
                    if kind == informer.resource.kind
                ]
            )
        self.children = Children(kube, CONFIG, self.state, self.seconds, chance=lambda: 0.0)
        self.recorder = EventRecorder(kube, "op-1", self.time)
        self.status = StatusWriter(kube, self.state, self.seconds)
        self.executor = ActionExecutor(
            kube,
            CONFIG,
            self.state,
            self.resolver,
            self.children,
            self.status,
            self.recorder,
            QuotaWriter(kube, self.state, self.time),
        )
        self.reconciler = Reconciler(
            kube,
            self.queue,
            self.state,
            self.resolver,
            self.executor,
            Metrics(),
            self.time,
            StartQueue(limits or Limits(), self.queue.add),
        )

    def time(self) -> datetime:
        """The current time."""
        return self.now

    def seconds(self) -> float:
        """The seconds since the start."""
        return (self.now - START).total_seconds()

    def user_applies(self, name: str = "wp", **spec: Any) -> None:
        """Apply a WorkPlan, as a user did a minute ago."""
        body = {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {
                "namespace": "ns",
                "name": name,
                "uid": "u-1" if name == "wp" else f"u-{name}",
                "generation": 1,
                "creationTimestamp": "2026-05-04T11:59:00Z",
            },
            "spec": {"source": {"plan": {"nodes": [], "goals": []}}, **spec},
            "status": {"observedGeneration": -1},
        }
        self.state.workplans.upsert(self.kube.put(body))

    async def reconcile(self, times: int = 1) -> None:
        """Reconcile, and wait for resolutions that were started."""
        for _ in range(times):
            await self.reconciler.reconcile(KEY)
            for task in list(self.resolver._tasks.values()):
                await task

    @property
    def workplan(self) -> dict[str, Any]:
        """The WorkPlan on the API server."""
        return self.kube.objects["WorkPlan", "ns", "wp"]

    def condition(self, kind: str) -> tuple[str, str]:
        """Return status and reason of a condition."""
        found = {c["type"]: c for c in self.workplan["status"]["conditions"]}
        return found[kind]["status"], found[kind]["reason"]
