"""Writes to Workloads what Kueue expects of their owner: the end of an eviction, ready pods.

A merge patch of one version of the Workload: `status.admission` belongs to Kueue, and server-side
apply removes no field of others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.resources import WORKLOADS
from voxk8s.controller.decide.actions import RequeueWorkload
from voxk8s.controller.observe.cluster_state import ClusterState
from voxk8s.controller.observe.observed import Observed

_REQUEUED_AT_ONCE: Final = ("Preempted", "NodeFailures")
"""Reasons of an eviction after which Kueue queues a Workload again without more ado."""


@dataclass(frozen=True, slots=True)
class QuotaWriter:
    """Patches Workloads; the answers go into the informer of `state`."""

    kube: KubeClient
    state: ClusterState
    now: Callable[[], datetime]

    async def release(self, observed: Observed, uid: str) -> None:
        """Give the quota of an evicted Workload back.

        Raises Conflict if Kueue has written meanwhile.
        """
        body = await self._read(observed, uid)
        if body is None:
            return
        old = {each["type"]: each for each in (body.get("status") or {}).get("conditions") or ()}
        eviction = old.get("Evicted") or {}
        reason = str(eviction.get("reason") or "Deactivated")
        message = str(eviction.get("message") or "The Workload is not active")
        changes = {
            "Requeued": ("True" if reason in _REQUEUED_AT_ONCE else "False", reason, message),
            "QuotaReserved": ("False", "Pending", message),
        }
        if "Admitted" in old:
            changes["Admitted"] = ("False", "NoReservation", "The workload has no reservation")
        if "PodsReady" in old:
            changes["PodsReady"] = ("False", "WaitForStart", "Not all pods are ready or succeeded")
        await self._write(observed, body, changes, {"admission": None})

    async def report_pods_ready(self, observed: Observed, uid: str) -> None:
        """Set PodsReady; raises Conflict if Kueue has written meanwhile."""
        body = await self._read(observed, uid)
        if body is not None:
            text = "All pods reached readiness and the workload is running"
            await self._write(observed, body, {"PodsReady": ("True", "Started", text)}, {})

    async def requeue(self, observed: Observed, action: RequeueWorkload) -> None:
        """Change queue and priority of a Workload that waits."""
        workload = observed.workload
        if workload is None:
            return
        spec: KubeObject = {"queueName": action.queue}
        if not workload.classed:
            spec["priority"] = action.priority
        written = await self.kube.patch(
            WORKLOADS,
            workload.name,
            {"metadata": {"uid": workload.uid}, "spec": spec},
            observed.workplan.metadata.namespace,
        )
        self.state.workloads.note_written(written)

    async def _read(self, observed: Observed, uid: str) -> KubeObject | None:
        """Return the Workload, unless it is another one by now."""
        if observed.workload is None:
            return None
        namespace = observed.workplan.metadata.namespace
        body = await self.kube.find(WORKLOADS, observed.workload.name, namespace)
        return body if body is not None and body["metadata"]["uid"] == uid else None

    async def _write(
        self,
        observed: Observed,
        body: KubeObject,
        changes: Mapping[str, tuple[str, str, str]],
        fields: Mapping[str, Any],
    ) -> None:
        metadata = {name: body["metadata"][name] for name in ("uid", "resourceVersion")}
        conditions = {each["type"]: each for each in (body["status"].get("conditions") or ())}
        for kind, (status, reason, message) in changes.items():
            old = conditions.get(kind, {})
            stamp = self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
            same = old.get("status") == status
            conditions[kind] = {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastTransitionTime": old["lastTransitionTime"] if same else stamp,
                "observedGeneration": body["metadata"].get("generation", 0),
            }
        written = await self.kube.patch(
            WORKLOADS,
            body["metadata"]["name"],
            {"metadata": metadata, "status": {**fields, "conditions": [*conditions.values()]}},
            observed.workplan.metadata.namespace,
            subresource="status",
        )
        self.state.workloads.note_written(written)
