"""Pods start when all that gives them access exists, and not before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controller.observed_builders import later
from tests.unit.controller.scripted_operator import STORE, ScriptedOperator
from voxk8s.cluster.kube_errors import Forbidden, KubeUnreachable
from voxk8s.controller.act.run_credentials import RunCredentials

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
