"""What Kueue does for Workloads, on an API server with its own CRDs and without its controller."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from tests.support.operators import eventually
from tests.tools.cluster import kueue
from voxk8s.cluster.kube_client import KubeClient, KubeObject
from voxk8s.cluster.kube_errors import KindMissing, NotFound
from voxk8s.cluster.resources import CRDS, RESOURCE_FLAVORS, WORKLOADS

ADMITTED = {"QuotaReserved": "True", "Admitted": "True"}
_STAMP = "2026-01-02T03:04:05Z"


async def install(kube: KubeClient) -> None:
    """Install the CRDs and a flavor, unless they are, and wait until they are served."""
    if await kube.find(CRDS, "workloads.kueue.x-k8s.io") is not None:
        return
    for manifest in kueue.crds():
        await kube.create(CRDS, manifest)

    async def served() -> bool:
        try:
            await kube.list(WORKLOADS)
            await kube.list(RESOURCE_FLAVORS)
        except KindMissing:
            return False
        return True

    await eventually(served, "the kinds of Kueue are served")
    flavor = {
        "apiVersion": RESOURCE_FLAVORS.api_version,
        "kind": RESOURCE_FLAVORS.kind,
        "metadata": {"name": "spot"},
        "spec": {
            "nodeLabels": {"pool": "spot"},
            "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
        },
    }
    await kube.create(RESOURCE_FLAVORS, flavor)


async def decide(
    kube: KubeClient, namespace: str, workload: KubeObject, workers: int, **conditions: str
) -> None:
    """Write what Kueue's scheduler would: an admission to `workers` spot workers, conditions."""
    sets = [
        {
            "name": each["name"],
            "flavors": {"cpu": "spot"},
            "count": workers if each["name"] == "worker" else each["count"],
        }
        for each in workload["spec"]["podSets"]
    ]
    listed = [
        {
            "type": kind, "status": status, "reason": "Preempted" if kind == "Evicted" else "Any",
            "message": f"{kind} is {status}", "lastTransitionTime": _STAMP,
        }
        for kind, status in conditions.items()
    ]  # fmt: skip
    admission = {"clusterQueue": "all", "podSetAssignments": sets}
    status = {"admission": admission, "conditions": listed}
    name = workload["metadata"]["name"]
    await kube.patch(WORKLOADS, name, {"status": status}, namespace, subresource="status")


@dataclass(slots=True)
class ScriptedKueue:
    """Admits every Workload of a namespace, or evicts them while `evicts`; `seen` are the uids."""

    kube: KubeClient
    namespace: str
    evicts: bool = False
    seen: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Act until cancelled."""
        while True:
            for workload in (await self.kube.list(WORKLOADS, self.namespace)).items:
                self.seen.add(workload["metadata"]["uid"])
                with suppress(NotFound):
                    await self._act(workload)
            await asyncio.sleep(0.03)

    async def _act(self, workload: KubeObject) -> None:
        status = workload.get("status") or {}
        states = {each["type"]: each["status"] for each in status.get("conditions") or ()}
        evicted = states.get("Evicted") == "True"
        if self.evicts and "admission" in status and not evicted:
            await decide(self.kube, self.namespace, workload, 2, **ADMITTED, Evicted="True")
        if not self.evicts and "admission" not in status:
            await decide(self.kube, self.namespace, workload, 2, **ADMITTED, Evicted="False")
