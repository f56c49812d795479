"""The operator's ResourceQuota at a real API server."""

from __future__ import annotations

import pytest

from tests.support import workplans
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.kube_errors import Forbidden
from voxk8s.cluster.resources import RESOURCE_QUOTAS, WORK_PLANS
from voxk8s.controller.act.namespace_quotas import NamespaceQuotas
from voxk8s.controller.observe.cluster_state import ClusterState

COUNT = "count/workplans.voxk8s.io"


async def test_too_many_workplans_are_refused(direct: KubeClient, namespace: str) -> None:
    """A tenant who floods its namespace is stopped by the API server."""

    async def create(name: str) -> None:
        body = {
            "apiVersion": "voxk8s.io/v1alpha1",
            "kind": "WorkPlan",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"source": {"plan": workplans.addition(1.0, 2.0)}},
        }
        created = await direct.create(WORK_PLANS, body, namespace)
        state.workplans.upsert(created)

    state = ClusterState(lambda _: None, lambda _: None)
    await create("first")
    hard: dict[str, int | str] = {COUNT: 3, "pods": "5"}
    await NamespaceQuotas(direct, state, hard).write_due()
    # What Kubernetes' controller does, which does not run here.
    status = {"hard": {COUNT: "3", "pods": "5"}, "used": {COUNT: "1", "pods": "0"}}
    await direct.patch(
        RESOURCE_QUOTAS, "voxk8s", {"status": status}, namespace, subresource="status"
    )
    await create("second")
    await create("third")
    with pytest.raises(Forbidden, match="exceeded quota"):
        await create("fourth")
    await NamespaceQuotas(direct, state, {COUNT: 4}).write_due()
    found = await direct.get(RESOURCE_QUOTAS, "voxk8s", namespace)
    assert found["spec"]["hard"] == {COUNT: "4"}
