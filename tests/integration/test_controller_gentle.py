"""What WorkPlans cost a real API server, and how they share a cluster."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from tests.support import kstatus, operators, workplans
from tests.support.kube_proxy import KubeProxy
from tests.support.operators import apply_workplans, config, eventually, wait_for_condition
from tests.support.waiting import until
from voxk8s.api.status import OperationCounts
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.resources import DASK_AUTOSCALERS, DASK_CLUSTERS, JOBS, SECRETS, WORK_PLANS
from voxk8s.constants import ANNOTATION_RETRY, STORE_SECRET
from voxk8s.controller.act import run_credentials, status_writer
from voxk8s.controller.decide import status
from voxk8s.controller.limits import Limits
from voxk8s.controller.resolve.resolution_state import Resolved, ResolveResult
from voxk8s.controller.resolve.resolve_request import ResolveRequest

OUTCOME = {"state": "Succeeded", "reason": "AllGoalsReached", "message": "all"}
KNOWN = Resolved(
    final_status={"progress": "1/1", "results": [{"goal": "sum", "kind": "print", "value": 3}]}
)
NEW = Resolved(
    counts=OperationCounts(total=1, cached=0, computed=0, failed=0, running=0, pending=1)
)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a slow machine take longer than people would wait."""
    monkeypatch.setattr(status, "ACCEPTANCE_SECONDS", 30.0)
    monkeypatch.setattr(status_writer, "SETTLE_SECONDS", 30.0)


@pytest.mark.usefixtures("patient")
async def test_writes_of_a_known_plan(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """The status of a plan whose results are known is written once: results and end."""
    async with operators.running(kube, config(namespace), lambda _: KNOWN):
        await apply_workplans(direct, namespace, 1)
        await wait_for_condition(direct, namespace, "wp-00", "Succeeded", "AllGoals")
    assert proxy.count("PATCH", "workplans/wp-00/status") == 1
    assert proxy.count("GET", "workplans/wp-00") == 0


@pytest.mark.usefixtures("patient")
async def test_results_of_a_known_plan_that_runs_again(
    kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """They stay when something else is written, and those of the next run take their place."""
    found = [KNOWN, replace(KNOWN, final_status={"progress": "2/2"})]
    async with operators.running(kube, config(namespace), lambda _: found.pop(0)):
        await apply_workplans(direct, namespace, 1)
        await wait_for_condition(direct, namespace, "wp-00", "Succeeded", "AllGoals")
        edit = {"spec": {"priority": 7}}
        edited = await direct.patch(WORK_PLANS, "wp-00", edit, namespace)

        async def observed() -> bool:
            status = (await direct.get(WORK_PLANS, "wp-00", namespace))["status"]
            return bool(status["observedGeneration"] == edited["metadata"]["generation"])

        await eventually(observed, "the edit was observed")
        status = (await direct.get(WORK_PLANS, "wp-00", namespace))["status"]
        assert (status["progress"], len(status["results"])) == ("1/1", 1)
        again = {"metadata": {"annotations": {ANNOTATION_RETRY: "once more"}}}
        await direct.patch(WORK_PLANS, "wp-00", again, namespace)

        async def replaced() -> bool:
            status = (await direct.get(WORK_PLANS, "wp-00", namespace))["status"]
            return status.get("progress") == "2/2" and "completionTime" in status

        await eventually(replaced, "it ran again")
        status = (await direct.get(WORK_PLANS, "wp-00", namespace))["status"]
        assert "results" not in status


@pytest.mark.usefixtures("patient")
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
        part = {"outcome": OUTCOME, "progress": "1/1"}
        await direct.patch(WORK_PLANS, "wp-00", {"status": part}, namespace, subresource="status")
        await wait_for_condition(direct, namespace, "wp-00", "Succeeded", "AllGoals")
    assert proxy.count("PATCH", "workplans/wp-00/status") + 1 == 3


async def phases(kube: KubeClient, namespace: str) -> dict[str, str]:
    """Return the phase of each WorkPlan."""
    found = (await kube.list(WORK_PLANS, namespace)).items
    return {each["metadata"]["name"]: each.get("status", {}).get("phase", "") for each in found}


async def test_more_workplans_than_clusters(
    proxy: KubeProxy, kube: KubeClient, direct: KubeClient, namespace: str
) -> None:
    """Those over the limit wait without a write, over a restart too; a known plan does not wait."""

    def answer(request: ResolveRequest) -> ResolveResult:
        return KNOWN if "known" in request.run_folder else NEW

    async def starts(*names: str) -> None:
        async def probe() -> bool:
            found = await phases(direct, namespace)
            return {name for name, phase in found.items() if phase == "Starting"} == set(names)

        await eventually(probe, f"{names} start")

    settings = config(namespace, limits=Limits(clusters=2))
    async with operators.running(kube, settings, answer):
        await apply_workplans(direct, namespace, 2)
        await starts("wp-00", "wp-01")
        late = [("wp-02", 0), ("wp-03", 0), ("wp-04", 7)]
        for name, priority in late:
            body = workplans.workplan(name, workplans.addition(1.0, 2.0), priority=priority)
            await direct.create(WORK_PLANS, body, namespace)
        for name, _ in late:
            await wait_for_condition(direct, namespace, name, "Ready", "limits.clusters")
            assert kstatus.read(await direct.get(WORK_PLANS, name, namespace)) == "InProgress"
        known = workplans.workplan("known", workplans.addition(1.0, 2.0))
        await direct.create(WORK_PLANS, known, namespace)
        await wait_for_condition(direct, namespace, "known", "Succeeded", "AllGoals")
    async with operators.running(kube, settings, answer) as operator:
        await until(lambda: operator._reconciler.starts.waiting == 3)
        assert len((await direct.list(DASK_CLUSTERS, namespace)).items) == 2
        await direct.patch(
            WORK_PLANS, "wp-00", {"status": {"outcome": OUTCOME}}, namespace, subresource="status"
        )
        await starts("wp-01", "wp-04")
    assert proxy.count("PATCH", "workplans/wp-03/status") == 1
    assert len((await direct.list(DASK_CLUSTERS, namespace)).items) == 2


async def test_retry_of_a_failed_run(kube: KubeClient, direct: KubeClient, namespace: str) -> None:
    """A new value of the annotation starts another run, as of a new WorkPlan; it acts once."""

    async def annotate(token: str) -> None:
        body = {"metadata": {"annotations": {"voxk8s.io/retry": token}}}
        await direct.patch(WORK_PLANS, "wp-00", body, namespace)

    async def end(state: str) -> None:
        part = {"outcome": {**OUTCOME, "state": state}, "progress": "1/1", "results": []}
        await direct.patch(WORK_PLANS, "wp-00", {"status": part}, namespace, subresource="status")
        word = "True" if state == "Succeeded" else "False"
        await wait_for_status(direct, namespace, "Succeeded", word)
        await operators.finish_job(direct, namespace)
        await eventually(partial(operators.collect_garbage, direct, namespace), "access is deleted")

    async with operators.running(kube, config(namespace), lambda _: NEW):
        await apply_workplans(direct, namespace, 1)
        exist = partial(operators.exist, direct, JOBS, namespace, 1)
        await eventually(exist, "the first run starts")
        await end("Failed")
        await annotate("1")
        await wait_for_condition(direct, namespace, "wp-00", "Reconciling", "ClusterStarting")
        await eventually(exist, "the second run starts")
        found = (await direct.get(WORK_PLANS, "wp-00", namespace))["status"]
        assert {"outcome", "results", "completionTime", "progress"}.isdisjoint(found)
        assert found["retry"] == "1"
        await end("Succeeded")
        found = await direct.get(WORK_PLANS, "wp-00", namespace)
        assert kstatus.read(found) == "Current"
    async with operators.running(kube, config(namespace), lambda _: NEW) as operator:
        await until(lambda: operator._state.synced)
        await annotate("1")
        await until(lambda: not operator._queue._busy and not len(operator._queue))
    assert (await direct.get(WORK_PLANS, "wp-00", namespace))["status"] == found["status"]


async def wait_for_status(kube: KubeClient, namespace: str, kind: str, word: str) -> None:
    """Wait until a condition of the WorkPlan has a status."""

    async def probe() -> bool:
        found = await operators.condition(kube, namespace, "wp-00", kind)
        return found.get("status") == word

    await eventually(probe, f"{kind} is {word}")


async def test_keys_are_there_as_long_as_a_work_plan(
    kube: KubeClient, direct: KubeClient, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are written again where somebody deletes them, and deleted with the last WorkPlan."""
    monkeypatch.setattr(run_credentials, "_CHECK_SECONDS", 0.2)
    # The estimate of the API server's time becomes better, and may go back by half a second.
    monkeypatch.setattr(run_credentials, "_MEMORY", timedelta(seconds=-1))

    async def found() -> bool:
        return await direct.find(SECRETS, STORE_SECRET, namespace) is not None

    async def is_gone() -> bool:
        return not await found()

    async with operators.running(kube, config(namespace), lambda _: KNOWN):
        await apply_workplans(direct, namespace, 1)
        await wait_for_condition(direct, namespace, "wp-00", "Succeeded", "AllGoals")
        await eventually(found, "the keys are there")
        await direct.delete(SECRETS, STORE_SECRET, namespace)
        metadata = {"annotations": {"of": "the test"}}
        await direct.patch(WORK_PLANS, "wp-00", {"metadata": metadata}, namespace)
        await eventually(found, "the keys are there again")
        await direct.delete(WORK_PLANS, "wp-00", namespace)
        await eventually(is_gone, "the keys are gone")
        await apply_workplans(direct, namespace, 1)
        await eventually(found, "the keys are there once more")
    await direct.delete(WORK_PLANS, "wp-00", namespace)
    async with operators.running(kube, config(namespace), lambda _: KNOWN):
        await eventually(is_gone, "the keys that nobody was there to delete are gone")
