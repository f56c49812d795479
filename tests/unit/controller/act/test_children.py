"""Cluster and runner of a run are created once, and deleted at its end."""

from __future__ import annotations

from tests.unit.controller.scripted_operator import ScriptedOperator


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
