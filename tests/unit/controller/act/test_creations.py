"""What could not be created is reported, and tried again after a while."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controller.observed_builders import WORK_LEFT, later
from tests.unit.controller.scripted_operator import ScriptedOperator
from voxk8s.cluster.kube_errors import Forbidden, KindMissing, KubeUnreachable, Overloaded


@pytest.mark.parametrize("kind", ["ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"])
async def test_objects_of_others_are_not_taken(operator: ScriptedOperator, kind: str) -> None:
    """What somebody made under the name of a child in advance keeps the run waiting."""
    operator.user_applies()
    await operator.reconcile(2)
    key = next(k for k in operator.kube.objects if k[0] == kind and k[2].startswith("vox-"))
    other = {"kind": kind, "metadata": {"namespace": "ns", "name": key[2]}}
    again = ScriptedOperator([WORK_LEFT])
    again.reconciler.starts.open()
    again.kube.put(other)
    again.user_applies()
    await again.reconcile(3)
    await again.resolver.close()
    assert {"DaskCluster", "Job"}.isdisjoint(again.kube.created)


@pytest.mark.parametrize("kind", ["DaskCluster", "Job"])
async def test_a_child_of_others_is_named(operator: ScriptedOperator, kind: str) -> None:
    """What somebody made under the name of a child is in a condition, and not asked for at once."""
    operator.user_applies()
    await operator.reconcile(2)
    key = next(k for k in operator.kube.objects if k[0] == kind)
    again = ScriptedOperator([WORK_LEFT])
    again.reconciler.starts.open()
    again.kube.put({"kind": kind, "metadata": {"namespace": "ns", "name": key[2]}})
    again.user_applies()
    await again.reconcile(4)
    assert again.condition("ClusterReady") == ("False", "PodRejected")
    found = {each["type"]: each for each in again.workplan["status"]["conditions"]}
    assert (
        f"{kind} {key[2]} exists and was not made for this run"
        in (found["ClusterReady"]["message"])
    )
    asked = again.kube.calls[f"create {kind}"]
    await again.reconcile(4)
    assert again.kube.calls[f"create {kind}"] == asked
    await again.resolver.close()


async def test_an_autoscaler_that_has_its_cluster_as_owner(operator: ScriptedOperator) -> None:
    """It is the run's: the dask operator replaces the owner. Another one is not."""
    creations, kube = operator.executor.children._creations, operator.kube
    name = {"namespace": "ns", "name": "a"}
    own = {
        "apiVersion": "kubernetes.dask.org/v1",
        "kind": "DaskAutoscaler",
        "metadata": {**name, "ownerReferences": [{"uid": "u-1"}]},
    }
    for owner, taken in (("u-c", True), ("u-1", True), ("u-other", False)):
        kube.put({"kind": own["kind"], "metadata": {**name, "ownerReferences": [{"uid": owner}]}})
        assert await creations.create("u-1", own, owner="u-c") is taken
    (problem,) = creations.problems("u-1")
    assert "DaskAutoscaler a exists and was not made for this run" in problem.message


async def test_a_worker_group_of_others_is_not_taken(operator: ScriptedOperator) -> None:
    """Workers that somebody made under the name of a group, which offer nothing, are reported."""
    uid = "u-1"
    name = {"namespace": "ns", "name": "c-gpu"}
    operator.kube.put({"kind": "DaskWorkerGroup", "metadata": name})
    own = {
        "apiVersion": "kubernetes.dask.org/v1",
        "kind": "DaskWorkerGroup",
        "metadata": {**name, "ownerReferences": [{"uid": "u-c"}]},
    }
    creations = operator.executor.children._creations
    assert not await creations.create(uid, own)
    (problem,) = creations.problems(uid)
    assert "was not made for this run" in problem.message


async def test_lost_answer(operator: ScriptedOperator) -> None:
    """A child that exists although its creation failed leaves nothing to try again or to report."""
    kube: Any = operator.kube
    operator.user_applies()
    plain = kube.create

    async def create(resource: Any, body: Any, namespace: str, **more: Any) -> Any:
        made = await plain(resource, body, namespace, **more)
        if resource.kind == "Job":
            raise KubeUnreachable("no answer", 504)
        return made

    kube.create = create
    await operator.reconcile(2)
    assert operator.executor.retry_in("u-1") is not None
    job = next(each for (kind, _, _), each in kube.objects.items() if kind == "Job")
    operator.state.jobs.upsert(job)
    operator.now = later(5)
    await operator.reconcile(2)
    assert operator.executor.retry_in("u-1") is None


async def test_missing_dask_operator(operator: ScriptedOperator) -> None:
    """Without the DaskCluster CRD the WorkPlan reports it, waits, and starts once it exists."""
    operator.user_applies()
    operator.kube.fail("create DaskCluster", *[KindMissing("?", 404)] * 2)
    await operator.reconcile(2)
    await operator.reconcile()
    assert operator.condition("ClusterReady") == ("False", "DaskOperatorMissing")
    operator.now = later(1)
    await operator.reconcile()
    operator.now = later(2)
    await operator.reconcile()
    assert operator.kube.calls["create DaskCluster"] == 2
    operator.now = later(3)
    await operator.reconcile(2)
    assert "DaskCluster" in operator.kube.created
    assert operator.condition("ClusterReady") == ("False", "ClusterStarting")


async def test_refused_child_is_not_asked_for_without_end(operator: ScriptedOperator) -> None:
    """However often the WorkPlan is reconciled, a refused child waits, each time longer."""
    operator.user_applies()
    operator.kube.fail("create Job", *[Forbidden("exceeded quota: jobs", 403)] * 1000)
    for second in range(600):
        operator.now = later(second / 10)
        await operator.reconcile()
    assert operator.kube.calls["create Job"] == 6  # after 0, 1, 3, 7, 15 and 31 seconds


async def test_the_api_server_says_when_to_try_again(operator: ScriptedOperator) -> None:
    """`Retry-After` of a refused creation counts, if it is longer than the backoff."""
    operator.user_applies()
    busy = Overloaded("too many requests", 429)
    busy.retry_after = 25.0
    operator.kube.fail("create Job", busy)
    await operator.reconcile(3)
    assert operator.executor.retry_in("u-1") == 25.0
    assert operator.condition("ClusterReady")[1] == "ClusterStarting", "once is not worth a report"


async def test_no_answer_is_reported_when_it_lasts(operator: ScriptedOperator) -> None:
    """A webhook that fails each creation is named, with its words."""
    operator.user_applies()
    operator.kube.fail("create Job", *[KubeUnreachable("failed calling webhook x", 500)] * 2)
    await operator.reconcile(2)
    operator.now = later(1)
    await operator.reconcile(2)
    assert operator.condition("ClusterReady") == ("False", "ApiServerUnavailable")
    found = {c["type"]: c for c in operator.workplan["status"]["conditions"]}
    assert "failed calling webhook x" in found["ClusterReady"]["message"]


async def test_spec_that_permits_no_manifest(operator: ScriptedOperator) -> None:
    """A quantity that an older CRD accepted is reported instead of failing in silence."""
    worker = {"resources": {"limits": {"memory": "4GB"}}}
    operator.user_applies(cluster={"worker": worker})
    await operator.reconcile(3)
    assert operator.condition("ClusterReady") == ("False", "PodRejected")
    found = {c["type"]: c for c in operator.workplan["status"]["conditions"]}
    assert "'4GB'" in found["ClusterReady"]["message"]


async def test_rejected_child(operator: ScriptedOperator) -> None:
    """A rejected child is reported with the message of the API server."""
    operator.user_applies()
    operator.kube.fail("create Job", *[Forbidden("exceeded quota: jobs", 403)] * 3)
    await operator.reconcile(3)
    assert operator.condition("ClusterReady") == ("False", "PodRejected")
    found = {c["type"]: c for c in operator.workplan["status"]["conditions"]}
    assert "exceeded quota: jobs" in found["ClusterReady"]["message"]
