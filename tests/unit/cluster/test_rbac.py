"""Service accounts and permissions of a run's pods."""

from __future__ import annotations

from dataclasses import replace

from tests.support.example_runs import GOLDEN, PLAIN, STORE, manifests, only, work_plan
from tests.support.example_runs import SHAPED as SHAPED_WORKPLAN
from tests.support.restricted import pods


def test_only_the_runner_has_a_token() -> None:
    """Pods that execute kernels cannot call the API server."""
    tokens = {
        (thing["kind"], path): pod["automountServiceAccountToken"]
        for thing in GOLDEN["plain"]
        for path, pod in pods(thing)
    }
    assert tokens == {
        ("DaskCluster", "$.spec.scheduler.spec"): False,
        ("DaskCluster", "$.spec.worker.spec"): False,
        ("Job", "$.spec.template.spec"): True,
    }


def test_runner_may_only_write_its_own_status() -> None:
    """Every rule of the Role names the one object that it permits."""
    rules = only(GOLDEN["shaped"], "Role")["rules"]
    own = SHAPED_WORKPLAN.metadata.name
    assert [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in rules] == [
        (["workplans"], [own], ["get"]),
        (["workplans/status"], [own], ["patch"]),
        (["configmaps"], ["programs"], ["get"]),
    ]


def test_accounts_with_access_to_the_store() -> None:
    """Workers and runner have the domain's account, or that of the WorkPlan; the scheduler none."""
    store = replace(STORE, secret=None, service_account="reader")
    for cluster, account in (({}, "reader"), ({"serviceAccountName": "mine"}, "mine")):
        run = manifests(work_plan(cluster={"maxWorkers": 1, **cluster}), PLAIN, store)
        found, job = only(run, "DaskCluster")["spec"], only(run, "Job")["spec"]
        assert found["worker"]["spec"]["serviceAccountName"] == account
        assert job["template"]["spec"]["serviceAccountName"] == account
        assert found["scheduler"]["spec"]["serviceAccountName"] == "voxk8s-compute"
        assert [each["name"] for each in only(run, "RoleBinding")["subjects"]] == [account]
        names = {item["name"] for item in job["template"]["spec"]["containers"][0]["env"]}
        assert "AWS_SECRET_ACCESS_KEY" not in names
