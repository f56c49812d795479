"""Creation and deletion of the children of a run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controller.observed_builders import WORK_LEFT, later
from tests.unit.controller.scripted_operator import STORE, ScriptedOperator
from voxk8s.cluster.kube_errors import Forbidden, KindMissing, KubeUnreachable, Overloaded
from voxk8s.controller.act.run_credentials import RunCredentials


async def test_children_of_a_run(operator: ScriptedOperator) -> None:
    """Access is created before cluster and runner, each once."""
    operator.user_applies()
    await operator.reconcile(2)
    made = operator.kube.created
    assert made[0] == "ServiceAccount"
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


ACCESS = ("ServiceAccount", "Role", "RoleBinding", "NetworkPolicy", "Secret")


@pytest.mark.parametrize("kind", ACCESS)
async def test_nothing_starts_without_access(operator: ScriptedOperator, kind: str) -> None:
    """While anything that its pods need is refused, neither cluster nor runner is created."""
    operator.user_applies()
    operator.kube.fail(f"create {kind}", *[Forbidden("exceeded quota", 403)] * 3)
    await operator.reconcile(3)
    assert {"DaskCluster", "Job"}.isdisjoint(operator.kube.created)
    assert operator.condition("ClusterReady") == ("False", "PodRejected")
    for second in (1, 3, 7):
        operator.now = later(second)
        await operator.reconcile(2)
    assert operator.kube.created[-2:] == ["DaskCluster", "Job"]
    assert operator.condition("ClusterReady") == ("False", "ClusterStarting")


async def test_owner_of_access(operator: ScriptedOperator) -> None:
    """The runner's account owns all that is created for one run only, keys for TLS included."""
    operator.user_applies()
    await operator.reconcile(2)
    objects = operator.kube.objects.items()
    (account,) = (
        each["metadata"] for (kind, _, name), each in objects
        if kind == "ServiceAccount" and name.endswith("-runner")
    )  # fmt: skip
    assert account["ownerReferences"][0]["kind"] == "WorkPlan"
    owned = [key for key, each in objects if _owner(each) == account["uid"]]
    assert {kind for kind, _, _ in owned} == {"Role", "RoleBinding", "NetworkPolicy", "Secret"}
    (keys,) = (name for kind, _, name in owned if kind == "Secret")
    cluster, job = (
        next(e for (k, _, _), e in objects if k == kind) for kind in ("DaskCluster", "Job")
    )
    for pod in (cluster["spec"]["worker"], cluster["spec"]["scheduler"], job["spec"]["template"]):
        assert {"name": "tls", "secret": {"secretName": keys}} in pod["spec"]["volumes"]
    assert not keys.endswith("-tls"), "a name that can be told in advance"
    assert len(owned) == 6


def _owner(body: dict[str, Any]) -> str:
    references = body["metadata"].get("ownerReferences") or [{"uid": ""}]
    return str(references[0]["uid"])


async def test_access_of_the_run_before(operator: ScriptedOperator) -> None:
    """Access that is still being deleted is waited for, and not taken for the new run's."""
    operator.user_applies()
    await operator.reconcile(2)
    key = next(key for key in operator.kube.objects if key[2].endswith("-runner"))
    account = operator.kube.objects[key]
    old = account["metadata"]["uid"]
    account["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    operator.state.accounts.upsert(account)
    operator.children.forget("u-1")
    for kind in ("DaskCluster", "Job"):
        child = next(each for each in operator.kube.objects if each[0] == kind)
        for informer in (operator.state.clusters, operator.state.jobs):
            informer.delete(operator.kube.objects[child])
        del operator.kube.objects[child]
    operator.kube.created.clear()
    await operator.reconcile()
    assert operator.kube.created == []
    del operator.kube.objects[key]
    operator.state.accounts.delete(account)
    operator.now = later(2)
    await operator.reconcile(2)
    assert {"DaskCluster", "Job"}.isdisjoint(operator.kube.created), "old ones are still there"
    for key in [k for k, each in operator.kube.objects.items() if _owner(each) == old]:
        del operator.kube.objects[key]
    operator.now = later(4)
    await operator.reconcile(2)
    assert operator.kube.created[-2:] == ["DaskCluster", "Job"]


@pytest.mark.parametrize("error", [Forbidden("exceeded quota", 403), KubeUnreachable("?", 504)])
async def test_nothing_starts_without_credentials(
    operator: ScriptedOperator, error: Exception
) -> None:
    """While the Secret with the store's keys cannot be written, neither is created; then both."""
    kube: Any = operator.kube
    operator.children.access.credentials = RunCredentials(kube, STORE)
    operator.user_applies()
    plain, failures = kube.create, [error]

    async def create(resource: Any, body: Any, namespace: str, **more: Any) -> Any:
        if body["metadata"]["name"] == "voxk8s-store" and failures:
            raise failures.pop()
        return await plain(resource, body, namespace, **more)

    kube.create = create
    await operator.reconcile(3)
    assert {"DaskCluster", "Job"}.isdisjoint(operator.kube.created)
    operator.now = later(2)
    await operator.reconcile(2)
    assert operator.kube.created[-2:] == ["DaskCluster", "Job"]
    assert ("Secret", "ns", "voxk8s-store") in operator.kube.objects


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


async def test_end_deletes_the_cluster(operator: ScriptedOperator) -> None:
    """After the outcome the cluster is deleted and the Job is kept."""
    operator.user_applies()
    await operator.reconcile(2)
    body = operator.workplan
    outcome = {"state": "Succeeded", "reason": "AllGoalsReached", "message": "all"}
    body["status"] |= {"outcome": outcome, "progress": "3/3"}
    operator.state.workplans.upsert(operator.kube.put(body))
    await operator.reconcile()
    assert operator.condition("Succeeded") == ("True", "AllGoalsReached")
    assert [kind for kind, _ in operator.kube.deleted] == ["DaskCluster"]
    await operator.reconcile()
    assert "DaskCluster" not in [kind for kind, _ in operator.kube.deleted[1:]], "asked for again"


async def test_user_secrets_are_kept(operator: ScriptedOperator) -> None:
    """The user's Secret is never deleted."""
    keys = {"AWS_ACCESS_KEY_ID": "aw==", "AWS_SECRET_ACCESS_KEY": "cw=="}
    metadata = {"namespace": "ns", "name": "keys"}
    operator.kube.put({"kind": "Secret", "metadata": metadata, "data": keys})
    operator.user_applies(store={"url": "s3://mine/x", "credentialsSecretRef": {"name": "keys"}})
    await operator.reconcile(2)
    body = operator.workplan
    body["status"] |= {"outcome": {"state": "Failed", "reason": "OperationFailed"}}
    operator.state.workplans.upsert(operator.kube.put(body))
    await operator.reconcile()
    assert [kind for kind, _ in operator.kube.deleted] == ["DaskCluster"]
