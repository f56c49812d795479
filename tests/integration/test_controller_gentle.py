"""What WorkPlans cost a real API server."""

from __future__ import annotations

from functools import partial

from tests.support import operators
from tests.support.kube_proxy import KubeProxy
from tests.support.operators import apply_workplans, config, eventually, wait_for_condition
from voxk8s.api.status import OperationCounts
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import DASK_AUTOSCALERS, WORK_PLANS
from voxk8s.controller.resolve.resolution_state import Resolved

OUTCOME = {"state": "Succeeded", "reason": "AllGoalsReached", "message": "all"}
KNOWN = Resolved(
    final_status={"progress": "1/1", "results": [{"goal": "sum", "kind": "print", "value": 3}]}
)
NEW = Resolved(
    counts=OperationCounts(total=1, cached=0, computed=0, failed=0, running=0, pending=1)
)


async def test_writes_of_a_known_plan(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """The status of a plan whose results are known is written twice: results, then the end."""
    async with operators.running(kube, config(namespace), lambda _: KNOWN):
        await apply_workplans(direct, namespace, 1)
        await wait_for_condition(direct, namespace, "wp-00", "Succeeded", "AllGoals")
    assert proxy.count("PATCH", "workplans/wp-00/status") == 2


async def test_writes_of_a_small_plan(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """A small plan that is new takes three writes: its start, the runner's results, its end."""
    async with operators.running(kube, config(namespace), lambda _: NEW):
        await apply_workplans(direct, namespace, 1)
        dask = operators.DaskOperator(direct, namespace)
        await eventually(partial(operators.handled, dask, 1), "the cluster exists")
        probe = partial(operators.exist, direct, DASK_AUTOSCALERS, namespace, 1)
        await eventually(probe, "its scheduler was seen")
        status = {"outcome": OUTCOME, "progress": "1/1"}
        await direct.patch(WORK_PLANS, "wp-00", {"status": status}, namespace, subresource="status")
        await wait_for_condition(direct, namespace, "wp-00", "Succeeded", "AllGoals")
    assert proxy.count("PATCH", "workplans/wp-00/status") + 1 == 3
