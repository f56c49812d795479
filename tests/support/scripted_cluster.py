"""What a cluster does for runs on an API server without controllers: Dask, runners, collector."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.operators import DaskOperator
from voxk8s.cluster.kube_client import Bookmark, KubeClient, KubeObject
from voxk8s.cluster.kube_errors import NotFound
from voxk8s.cluster.resources import (
    DASK_AUTOSCALERS,
    DASK_CLUSTERS,
    DASK_WORKER_GROUPS,
    DEPLOYMENTS,
    JOBS,
    NETWORK_POLICIES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    WORK_PLANS,
    ApiResource,
)
from voxk8s.constants import LABEL_WORKPLAN, MANAGER_RUNNER

OWNED = (
    JOBS, DASK_CLUSTERS, DASK_AUTOSCALERS, DASK_WORKER_GROUPS, DEPLOYMENTS, SECRETS,
    SERVICE_ACCOUNTS, ROLES, ROLE_BINDINGS, NETWORK_POLICIES,
)  # fmt: skip
"""Kinds of what an operator and dask-kubernetes make for a WorkPlan."""
OPERATIONS = 3
_STAMP = "2026-01-02T03:04:05Z"


@dataclass(slots=True)
class ScriptedCluster:
    """The controllers of one namespace, which act when `step` is called.

    A runner computes one operation a step. It holds at the first while `holds`, and ends with
    `outcome` after the last.
    """

    kube: KubeClient
    namespace: str
    outcome: str = "Succeeded"
    holds: bool = False
    dask: DaskOperator = field(init=False)
    _known_runners: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Start with no cluster handled."""
        self.dask = DaskOperator(self.kube, self.namespace)

    async def run(self) -> None:
        """Act until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(0.03)

    async def step(self) -> None:
        """Let every controller act once."""
        await self.dask.handle_clusters()
        for job in await self._list(JOBS):
            await self._advance(job)
        await self.collect_garbage()

    async def collect_garbage(self) -> None:
        """Delete what has no owner any more, as often as that leaves others without one.

        What is deleted in the foreground goes when all that it owns is gone.
        """
        found = {kind: await self._list(kind) for kind in (WORK_PLANS, *OWNED)}
        heads = [each["metadata"] for items in found.values() for each in items]
        uids = {head["uid"] for head in heads}
        owning = {o["uid"] for head in heads for o in head.get("ownerReferences") or ()}
        going = {h["uid"] for h in heads if "foregroundDeletion" in (h.get("finalizers") or ())}
        for kind, items in found.items():
            for each in items:
                owners = {o["uid"] for o in each["metadata"].get("ownerReferences") or ()}
                if owners and not owners & (uids - going):
                    await self.kube.delete(kind, each["metadata"]["name"], self.namespace)
                if each["metadata"]["uid"] in going - owning:
                    body = {"metadata": {"finalizers": None}}
                    await self.kube.patch(kind, each["metadata"]["name"], body, self.namespace)

    async def owned(self) -> dict[str, list[str]]:
        """Return the names of the objects that belong to WorkPlans, by kind."""
        found = {}
        for kind in OWNED:
            names = [
                each["metadata"]["name"]
                for each in await self._list(kind)
                if each["metadata"].get("ownerReferences")
            ]
            if names:
                found[kind.kind] = names
        return found

    async def _list(self, kind: ApiResource) -> list[KubeObject]:
        return (await self.kube.list(kind, self.namespace)).items

    async def _advance(self, job: KubeObject) -> None:
        """Let the runner of a Job do its next step, if its scheduler is there."""
        name = job["metadata"]["labels"][LABEL_WORKPLAN]
        plan = await self.kube.find(WORK_PLANS, name, self.namespace)
        ended = (job.get("status") or {}).get("conditions")
        if plan is None or ended or "deletionTimestamp" in job["metadata"]:
            return
        if not await self._list(DEPLOYMENTS):
            return
        status = plan.get("status") or {}
        if status.get("outcome"):
            await self._complete(job)
            return
        counts = status.get("operations") or {}
        done = counts.get("cached", 0) + counts.get("computed", 0)
        cached = counts.get("cached", 0)
        if job["metadata"]["uid"] not in self._known_runners:
            self._known_runners.add(job["metadata"]["uid"])
            cached = done  # What an earlier runner computed is in the store.
        elif not (self.holds and done):
            done += 1
        await self._report(plan, cached, done)

    async def _report(self, plan: KubeObject, cached: int, done: int) -> None:
        running = int(done < OPERATIONS)
        part: dict[str, Any] = {
            "operations": {
                "total": OPERATIONS, "cached": cached, "computed": done - cached, "failed": 0,
                "running": running, "pending": OPERATIONS - done - running,
            },
            "progress": f"{done}/{OPERATIONS}",
        }  # fmt: skip
        if done == OPERATIONS:
            reason = {"Succeeded": "AllGoalsReached", "Failed": "OperationFailed"}[self.outcome]
            part["outcome"] = {"state": self.outcome, "reason": reason, "message": "scripted"}
            part["results"] = [{"goal": "sum", "kind": "print", "value": 3.0}]
        metadata = {name: plan["metadata"][name] for name in ("name", "namespace", "uid")}
        body = {
            "apiVersion": plan["apiVersion"], "kind": plan["kind"], "metadata": metadata,
            "status": part,
        }  # fmt: skip
        with suppress(NotFound):
            await self.kube.apply(
                WORK_PLANS, body, self.namespace, manager=MANAGER_RUNNER, subresource="status"
            )

    async def _complete(self, job: KubeObject) -> None:
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": _STAMP, "lastProbeTime": _STAMP}
            for kind in ("SuccessCriteriaMet", "Complete")
        ]
        status = {
            "conditions": conditions, "succeeded": 1, "startTime": _STAMP,
            "completionTime": _STAMP, "uncountedTerminatedPods": {},
        }  # fmt: skip
        with suppress(NotFound):
            await self.kube.patch(
                JOBS, job["metadata"]["name"], {"status": status}, self.namespace,
                subresource="status",
            )  # fmt: skip


@dataclass(slots=True)
class Seen:
    """Every state of the objects of one kind in a namespace, in the order of their versions."""

    kube: KubeClient
    kind: ApiResource
    namespace: str
    states: list[KubeObject] = field(default_factory=list)

    async def run(self, resource_version: str) -> None:
        """Record until cancelled, from a version on."""
        while True:
            async for event in self.kube.watch(
                self.kind, self.namespace, resource_version=resource_version
            ):
                if isinstance(event, Bookmark):
                    resource_version = event.resource_version
                    continue
                resource_version = event.object["metadata"]["resourceVersion"]
                self.states.append({**event.object, "deleted": event.type == "DELETED"})

    def uids(self) -> list[str]:
        """Return the uids of all objects that existed, in the order of their creation."""
        return list(dict.fromkeys(each["metadata"]["uid"] for each in self.states))

    def by_uid(self) -> dict[str, list[KubeObject]]:
        """Return the states of each object."""
        found: dict[str, list[KubeObject]] = {uid: [] for uid in self.uids()}
        for each in self.states:
            found[each["metadata"]["uid"]].append(each)
        return found

    def most_at_once(self) -> int:
        """Return how many objects existed at a time at most, those being deleted left out."""
        alive: set[str] = set()
        most = 0
        for each in self.states:
            uid = each["metadata"]["uid"]
            if each["deleted"] or "deletionTimestamp" in each["metadata"]:
                alive.discard(uid)
            else:
                alive.add(uid)
            most = max(most, len(alive))
        return most
