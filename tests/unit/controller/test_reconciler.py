"""The reconciler over a scripted API server: children, status, events and failures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from tests.support.scripted_kube import ScriptedKube
from tests.unit.controller.observed_builders import START, later
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.kube_errors import Forbidden, KindMissing, KubeUnreachable
from voxk8s.controller.act.action_executor import ActionExecutor
from voxk8s.controller.act.children import Children
from voxk8s.controller.act.event_recorder import EventRecorder
from voxk8s.controller.config import Config, StoreConfig
from voxk8s.controller.metrics import Metrics
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.reconciler import Reconciler
from voxk8s.controller.resolve.process_pool import ProcessPool
from voxk8s.controller.resolve.resolution_state import Resolved
from voxk8s.controller.resolve.resolve_request import ResolveRequest
from voxk8s.controller.resolve.resolver import Resolver
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


class Operator:
    """The parts of an operator around a scripted API server."""

    def __init__(self, answers: list[Any]) -> None:
        self.kube = ScriptedKube()
        self.now = START
        self.queue = WorkQueue(lambda: (self.now - START).total_seconds(), chance=lambda: 0.0)
        self.state = ClusterState(self.queue.add, lambda plan: self.reconciler.forget(plan))
        self.resolver = Resolver(ProcessPool(1, 2**30), self.time)
        self.answers = answers
        kube: Any = self.kube
        self.children = Children(kube, CONFIG, self.state)
        self.recorder = EventRecorder(kube, "op-1", self.time)
        actor = ActionExecutor(
            kube, CONFIG, self.state, self.resolver, self.children, self.recorder
        )
        self.reconciler = Reconciler(
            self.queue, self.state, self.resolver, self.children, actor, Metrics(), self.time
        )

    def time(self) -> datetime:
        """The current time."""
        return self.now

    def user_applies(self, **spec: Any) -> None:
        """Apply the WorkPlan, as a user does."""
        thing = {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {"namespace": "ns", "name": "wp", "uid": "u-1", "generation": 1},
            "spec": {"source": {"plan": {"nodes": [], "goals": []}}, **spec},
            "status": {"observedGeneration": -1},
        }
        self.state.workplans.upsert(self.kube.put(thing))

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


@pytest.fixture
async def operator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Operator]:
    """An operator whose plans resolve to three operations in parallel."""
    made = Operator([Resolved(width=3)])

    async def resolve(self: ProcessPool, request: ResolveRequest) -> Any:
        return made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]

    monkeypatch.setattr(ProcessPool, "resolve", resolve)
    yield made
    await made.resolver.close()


async def test_fully_cached_plan(operator: Operator) -> None:
    """A fully cached plan takes two reconciliations and three writes, and no children."""
    operator.answers = [FULLY_CACHED]
    operator.user_applies()
    await operator.reconcile(2)
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")
    assert operator.workplan["status"]["results"][0]["value"] == 8
    assert operator.kube.created == []
    managers = [manager for manager, _ in operator.kube.applied]
    assert managers == ["voxk8s-operator", "voxk8s-runner", "voxk8s-operator"]
    await operator.reconcile(3)
    assert len(operator.kube.applied) == 3


async def test_children_of_a_run(operator: Operator) -> None:
    """Access is created before cluster and runner, each once."""
    operator.user_applies()
    await operator.reconcile(2)
    made = operator.kube.created
    assert made[-2:] == ["DaskCluster", "Job"]
    assert set(made) == {
        "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy", "Secret", "DaskCluster", "Job",
    }  # fmt: skip
    assert made.index("Role") < made.index("RoleBinding")
    cluster = next(t for (kind, _, _), t in operator.kube.objects.items() if kind == "DaskCluster")
    assert cluster["spec"]["worker"]["replicas"] == 1
    count = len(made)
    await operator.reconcile(3)
    assert len(operator.kube.created) == count


async def test_two_managers_keep_their_fields(operator: Operator) -> None:
    """Fields of the runner are kept when the operator writes."""
    operator.user_applies()
    await operator.reconcile(2)
    thing = operator.workplan
    thing["status"] |= {"progress": "1/3"}
    operator.state.workplans.upsert(operator.kube.put(thing))
    operator.now = later(60)
    await operator.reconcile()
    assert operator.workplan["status"]["progress"] == "1/3"
    assert operator.workplan["status"]["duration"] == "1m00s"


async def test_missing_dask_operator(operator: Operator) -> None:
    """Without the DaskCluster CRD the WorkPlan reports it, waits, and starts once it exists."""
    operator.user_applies()
    operator.kube.fail("create DaskCluster", *[KindMissing("?", 404)] * 2)
    await operator.reconcile(2)
    await operator.reconcile()
    assert operator.condition("ClusterReady") == ("False", "DaskOperatorMissing")
    assert operator.queue.failures(KEY) > 0
    await operator.reconcile()
    assert "DaskCluster" in operator.kube.created
    assert operator.queue.failures(KEY) == 0


async def test_rejected_child(operator: Operator) -> None:
    """A rejected child is reported with the message of the API server."""
    operator.user_applies()
    operator.kube.fail("create Job", *[Forbidden("exceeded quota: jobs", 403)] * 3)
    await operator.reconcile(3)
    assert operator.condition("ClusterReady") == ("False", "PodRejected")
    found = {c["type"]: c for c in operator.workplan["status"]["conditions"]}
    assert "exceeded quota: jobs" in found["ClusterReady"]["message"]


async def test_api_server_down(operator: Operator) -> None:
    """A failed write is retried from a new observation."""
    operator.user_applies()
    operator.kube.fail("apply", KubeUnreachable("away"))
    with pytest.raises(KubeUnreachable):
        await operator.reconcile()
    await operator.reconcile(2)
    assert operator.condition("StoreReady") == ("True", "StoreConnected")


async def test_denied_namespace(operator: Operator) -> None:
    """A namespace that may not use the default store gets no resolution and no children."""
    operator.children._config = CONFIG
    object.__setattr__(STORE, "denied", ("ns",))
    try:
        operator.user_applies()
        await operator.reconcile(3)
    finally:
        object.__setattr__(STORE, "denied", ())
    assert operator.condition("StoreReady") == ("False", "StoreAccessDenied")
    assert operator.kube.created == []


async def test_missing_secret_of_a_user_store(operator: Operator) -> None:
    """A missing Secret is reported by name, even if the operator may not read the store."""
    operator.user_applies(
        store={
            "url": "s3://mine/x",
            "endpoint": "https://elsewhere",
            "credentialsSecretRef": {"name": "keys"},
        }
    )
    await operator.reconcile(2)
    assert operator.condition("StoreReady") == ("False", "StoreAccessDenied")
    assert "Secret keys" in operator.workplan["status"]["message"]
    assert operator.kube.created == []
    operator.kube.put(
        {
            "kind": "Secret",
            "metadata": {"namespace": "ns", "name": "keys"},
            "data": {"AWS_ACCESS_KEY_ID": "aw==", "AWS_SECRET_ACCESS_KEY": "cw=="},
        }
    )
    operator.now = later(30)
    await operator.reconcile(3)
    assert "DaskCluster" in operator.kube.created


async def test_inline_plan_too_large(operator: Operator) -> None:
    """An inline plan that is too large for etcd is rejected, with alternatives."""
    operator.user_applies(source={"plan": {"nodes": ["x" * 1_250_000], "goals": []}})
    await operator.reconcile(2)
    assert operator.condition("Stalled") == ("True", "PlanTooLarge")
    message = operator.workplan["status"]["message"]
    assert "source.configMapRef" in message
    assert "source.url" in message


async def test_missing_config_map(operator: Operator) -> None:
    """A missing ConfigMap is waited for; the WorkPlan continues once it exists."""
    operator.answers = [FULLY_CACHED]
    operator.user_applies(source={"configMapRef": {"name": "plans", "key": "p.json"}})
    await operator.reconcile(2)
    assert operator.condition("Ready") == ("False", "SourceUnavailable")
    operator.kube.put(
        {
            "kind": "ConfigMap",
            "metadata": {"namespace": "ns", "name": "plans"},
            "data": {"p.json": "{}"},
        }
    )
    operator.now = later(30)
    await operator.reconcile(2)
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")


async def test_deleted_workplan(operator: Operator) -> None:
    """The state of a deleted WorkPlan is dropped; its children are left to Kubernetes."""
    operator.user_applies()
    await operator.reconcile(2)
    operator.state.workplans.delete(operator.workplan)
    await operator.reconcile()
    assert operator.kube.deleted == []
    assert operator.resolver._states == {}


async def test_end_deletes_the_cluster(operator: Operator) -> None:
    """After the outcome the cluster is deleted and the Job is kept."""
    operator.user_applies()
    await operator.reconcile(2)
    thing = operator.workplan
    outcome = {"state": "Succeeded", "reason": "AllGoalsReached", "message": "all"}
    thing["status"] |= {"outcome": outcome, "progress": "3/3"}
    operator.state.workplans.upsert(operator.kube.put(thing))
    await operator.reconcile()
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")
    assert [kind for kind, _ in operator.kube.deleted] == ["Secret", "DaskCluster"]
    await operator.reconcile()
    assert len(operator.kube.deleted) == 2, "asked for again before the watch could tell"


async def test_user_secrets_are_kept(operator: Operator) -> None:
    """The user's Secret is never deleted."""
    keys = {"AWS_ACCESS_KEY_ID": "aw==", "AWS_SECRET_ACCESS_KEY": "cw=="}
    metadata = {"namespace": "ns", "name": "keys"}
    operator.kube.put({"kind": "Secret", "metadata": metadata, "data": keys})
    operator.user_applies(store={"url": "s3://mine/x", "credentialsSecretRef": {"name": "keys"}})
    await operator.reconcile(2)
    thing = operator.workplan
    thing["status"] |= {"outcome": {"state": "Failed", "reason": "OperationFailed"}}
    operator.state.workplans.upsert(operator.kube.put(thing))
    await operator.reconcile()
    assert [kind for kind, _ in operator.kube.deleted] == ["DaskCluster"]


async def test_secret_that_cannot_be_deleted(operator: Operator) -> None:
    """If the Secret cannot be deleted, the cluster is deleted all the same."""
    operator.user_applies()
    await operator.reconcile(2)
    thing = operator.workplan
    thing["status"] |= {"outcome": {"state": "Failed", "reason": "OperationFailed"}}
    operator.state.workplans.upsert(operator.kube.put(thing))
    operator.kube.fail("delete Secret", Forbidden("no such right", 403))
    await operator.reconcile()
    assert ("DaskCluster" in dict(operator.kube.deleted)) is True


async def test_events(operator: Operator) -> None:
    """Transitions are emitted as events about the WorkPlan."""
    operator.answers = [FULLY_CACHED]
    operator.user_applies()
    await operator.reconcile(2)
    await operator.recorder.flush()
    assert [e["reason"] for e in operator.kube.events] == ["Accepted", "AllGoalsReached"]
    about = operator.kube.events[0]["involvedObject"]
    assert (about["kind"], about["name"], about["uid"]) == ("WorkPlan", "wp", "u-1")
