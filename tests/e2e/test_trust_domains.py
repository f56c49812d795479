"""Namespaces that do not trust each other share a store, and one of them is hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import succeeded
from tests.support import workplans
from tests.support.kubectl import Kubectl, cluster_env
from tests.tools.cluster.charts import FRIEND, STRANGER, TEAM
from voxk8s.storage import StoreOptions
from voxk8s.storage.layout import blob_path, lease_path, record_path
from voxk8s.storage.open_backend import open_backend
from voxk8s.storage.store_options import parse_url
from voxk8s.storage.trust_domain import domain_root

pytestmark = pytest.mark.cluster

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
ROLE = "arn:aws:iam::role/runs"
PROGRAM = Path(__file__).with_name("hostile_pod.py")
DOMAIN = "domains/team/"


@pytest.fixture
def namespaces(cluster: Kubectl) -> Iterator[dict[str, Kubectl]]:
    """The namespaces of the three domains; they go with the test."""
    names = (TEAM, STRANGER, FRIEND)
    for name in names:
        cluster.make_namespace(name)
    yield {name: cluster.within(name) for name in names}
    cluster.run("delete", "namespace", *names, "--wait=false")


def contents(domain: str) -> dict[str, bytes]:
    """Return all records and blobs of a domain, by path, as the operator's own keys see them."""
    env = cluster_env()
    options = StoreOptions(
        endpoint=env["S3_ENDPOINT"], region=env["S3_REGION"], key=env[KEYS[0]], secret=env[KEYS[1]]
    )
    backend = open_backend(domain_root(parse_url(f"s3://{env['S3_BUCKET']}"), domain), options)
    return {
        item.path: bytes(backend.get(item.path) or b"")
        for folder in ("ac/", "cas/")
        for item in backend.list(folder)
    }


def attack(kube: Kubectl, image: str, targets: dict[str, str]) -> dict[str, str]:
    """Run the hostile program with the keys of the namespace's runs; return what it was told."""
    env = cluster_env()
    variables: list[dict[str, Any]] = [
        {"name": name, "value": value}
        for name, value in {
            "ENDPOINT": env["S3_ENDPOINT_IN_CLUSTER"],
            "BUCKET": env["S3_BUCKET"],
            "REGION": env["S3_REGION"],
            "ROLE": ROLE,
            "TARGETS": json.dumps(targets),
            "HOME": "/tmp",
        }.items()
    ]
    variables += [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": "voxk8s-store", "key": name}}}
        for name in KEYS
    ]
    kube.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "eve"},
            "spec": {
                "restartPolicy": "Never",
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 65532,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": "eve",
                        "image": image,
                        "command": ["python", "-c", PROGRAM.read_text()],
                        "env": variables,
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }
                ],
            },
        }
    )
    kube.run("wait", "pod", "eve", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    answers: dict[str, str] = json.loads(kube.run("logs", "eve").splitlines()[-1])
    return answers


def test_a_hostile_namespace(namespaces: dict[str, Kubectl], salt: float) -> None:
    """It reads, lists, forges, deletes and delays nothing of another domain; friends still share.

    A stranger computes again what the team knows, and with the keys of its own runs, in a pod of
    its own, gets nowhere. A domain that trusts the team's reads from it without a pod.
    """
    team, stranger, friend = (namespaces[name] for name in (TEAM, STRANGER, FRIEND))
    plan = workplans.addition(43 + salt, 1)
    for kube in (team, stranger):
        kube.apply(workplans.workplan("sum", plan))
    for kube in (team, stranger):
        thing = succeeded(kube, "sum")
        assert workplans.results(thing) == {"sum": 44 + salt}
        assert thing["status"]["operations"]["computed"] == 1, f"{kube.namespace} believes others"
    friend.apply(workplans.workplan("sum", plan))
    thing = succeeded(friend, "sum")
    assert workplans.results(thing) == {"sum": 44 + salt}
    assert (
        thing["status"]["operations"] | {"computed": 0, "cached": 1}
        == (thing["status"]["operations"])
    )
    assert friend.items("pods") == []

    for setting in (
        {"image": "stranger.invalid/engine"},
        {"worker": {"env": [{"name": "DASK_DISTRIBUTED__WORKER__PRELOAD", "value": "http://x"}]}},
        {"runner": {"env": [{"name": "VOXK8S_STORE_DOMAIN", "value": "team"}]}},
    ):
        with pytest.raises(AssertionError, match=r"not allowed \(|are not allowed"):
            stranger.apply(workplans.workplan("own", plan, cluster={"maxWorkers": 1, **setting}))

    before = contents("team")
    record = next(path for path in before if path.startswith("ac/"))
    image = stranger.items("jobs")[0]["spec"]["template"]["spec"]["containers"][0]["image"]
    answers = attack(
        stranger,
        image,
        {
            "record": DOMAIN + record,
            "new record": DOMAIN + record_path("0" * 64),
            "blob": DOMAIN + blob_path("0" * 64),
            "lease": DOMAIN + lease_path(record.removeprefix("ac/v1/").replace("/", "")),
            "costs": f"{DOMAIN}costs/v1/kernels",
            "shared record": record_path("0" * 64),
            "other's output": "outputs/team/report.json",
            "own": f"domains/stranger/{record_path('0' * 64)}",
        },
    )
    allowed = {name for name, answer in answers.items() if answer == "done"}
    assert allowed == {"read own", "write own", "delete own", "list own"}, answers
    refusals = set(answers.values()) - {"done"}
    assert refusals <= {"AccessDenied", "403"}, answers
    assert contents("team") == before

    team.apply(workplans.workplan("again", plan))
    thing = succeeded(team, "again")
    assert workplans.results(thing) == {"sum": 44 + salt}
    assert thing["status"]["operations"]["computed"] == 0
