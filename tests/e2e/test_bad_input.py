"""Bad input gets one clear message, and nothing hangs silently."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import describe, ended, store_away, succeeded, waiting
from tests.support import kstatus, workplans
from tests.support.kubectl import Kubectl, cluster_env

pytestmark = pytest.mark.cluster

CYCLE = workplans.document(
    [
        workplans.operation("a", "addition", "b", "b"),
        workplans.operation("b", "addition", "a", "a"),
    ],
    [workplans.show("a")],
)
UNKNOWN_KERNEL = workplans.document(
    [workplans.constant("a", 1), workplans.operation("s", "additoin", "a", "a")],
    [workplans.show("s")],
)
WRONG_ARITY = workplans.document(
    [workplans.constant("a", 1), workplans.operation("s", "addition", "a")],
    [workplans.show("s")],
)
UNKNOWN_REFERENCE = workplans.document(
    [workplans.constant("a", 1), workplans.operation("s", "addition", "a", "z")],
    [workplans.show("s")],
)


def stalled(kube: Kubectl, name: str) -> dict[str, Any]:
    """Wait until a WorkPlan has ended badly and give its condition Stalled."""
    thing = ended(kube, name)
    found = kstatus.condition(thing, "Stalled")
    assert found.get("status") == "True", describe(kube, name)
    assert kstatus.condition(thing, "Succeeded")["status"] == "False"
    return found


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        pytest.param(CYCLE, ["cycle", "$.nodes["], id="cycle"),
        pytest.param(UNKNOWN_KERNEL, ["additoin", "addition", "$.nodes[1]"], id="kernel"),
        pytest.param(WRONG_ARITY, ["addition", "$.nodes[1]"], id="arity"),
        pytest.param(UNKNOWN_REFERENCE, ["z", "$.nodes[1].arguments.1"], id="reference"),
    ],
)
def test_invalid_plan(kube: Kubectl, plan: workplans.Document, words: list[str]) -> None:
    """An invalid plan is Stalled with reason InvalidPlan and its path; no cluster is started."""
    kube.apply(workplans.workplan("bad", plan))
    found = stalled(kube, "bad")
    assert found["reason"] == "InvalidPlan"
    assert all(word in found["message"] for word in words), found["message"]
    assert not kube.items("pods")
    assert not kube.items("daskclusters")


def test_bad_json_in_a_config_map(kube: Kubectl) -> None:
    """A ConfigMap whose plan is no JSON gives InvalidPlan; one that comes later is waited for."""
    source = {"configMapRef": {"name": "plans", "key": "plan.json"}}
    kube.apply(workplans.workplan("bad", source=source))
    waiting(kube, "bad", "Ready", "SourceUnavailable")
    kube.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "plans"},
            "data": {"plan.json": '{"nodes": [}'},
        }
    )
    assert stalled(kube, "bad")["reason"] == "InvalidPlan"


def test_missing_input_fails_only_what_needs_it(kube: Kubectl, salt: float) -> None:
    """The goal that needs a missing input fails with its URL; the other is delivered."""
    url = f"s3://{cluster_env()['S3_BUCKET']}/inputs/nowhere-{salt}.nii.gz"
    plan = workplans.document(
        [
            workplans.constant("u", url),
            workplans.operation("i", "load", "u"),
            workplans.operation("v", "vox1.volume", "i"),
            workplans.constant("a", 1 + salt),
            workplans.operation("s", "addition", "a", "a"),
        ],
        [workplans.show("v", "volume"), workplans.show("s", "sum")],
    )
    kube.apply(workplans.workplan("partly", plan))
    assert stalled(kube, "partly")["reason"] in ("OperationFailed", "InputUnavailable")
    thing = kube.get("workplan", "partly")
    assert workplans.results(thing) == {"sum": 2 + 2 * salt}
    assert any(url in failure["message"] for failure in thing["status"]["failures"])


def test_store_comes_back(kube: Kubectl, salt: float) -> None:
    """While the store is away StoreReady is False; the run goes on when it is back."""
    with store_away():
        kube.apply(workplans.workplan("patient", workplans.addition(29 + salt, 1)))
        waiting(kube, "patient", "StoreReady", "StoreUnreachable")
    assert workplans.results(succeeded(kube, "patient")) == {"sum": 30 + salt}


def test_wrong_credentials_can_be_mended(kube: Kubectl, salt: float) -> None:
    """Wrong keys are StoreAccessDenied; with the right ones in the Secret the run goes on."""
    env = cluster_env()
    keys = {name: env[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    secret: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys"},
        "stringData": {**keys, "AWS_SECRET_ACCESS_KEY": "wrong"},
    }
    store = {
        "url": f"s3://{env['S3_BUCKET']}",
        "endpoint": env["S3_ENDPOINT_IN_CLUSTER"],
        "region": env["S3_REGION"],
        "credentialsSecretRef": {"name": "keys"},
    }
    kube.apply(secret, workplans.workplan("own", workplans.addition(31 + salt, 1), store=store))
    denied = waiting(kube, "own", "StoreReady", "StoreAccessDenied")
    assert keys["AWS_SECRET_ACCESS_KEY"] not in json.dumps(denied)
    kube.apply({**secret, "stringData": keys})
    assert workplans.results(succeeded(kube, "own")) == {"sum": 32 + salt}


def test_namespace_that_may_not_use_the_store(cluster: Kubectl, salt: float) -> None:
    """A namespace outside the chart's list gets StoreReady=False."""
    name = cluster_env()["STORE_DENIED_NAMESPACE"]
    cluster.make_namespace(name)
    kube = cluster.within(name)
    try:
        kube.apply(workplans.workplan("foreign", workplans.addition(37 + salt, 1)))
        found = waiting(kube, "foreign", "StoreReady", "StoreAccessDenied")
        assert name in found["message"]
    finally:
        cluster.run("delete", "namespace", name, "--wait=false")


def test_image_that_cannot_be_pulled(kube: Kubectl, salt: float) -> None:
    """ClusterReady names the image at once; the start deadline ends the wait."""
    image = "voxk8s.invalid/no/such:image"
    plan = workplans.addition(41 + salt, 1)
    kube.apply(
        workplans.workplan(
            "pull", plan, cluster={"maxWorkers": 1, "image": image}, startDeadlineSeconds=30
        )
    )
    found = waiting(kube, "pull", "ClusterReady", "ImagePullFailed")
    assert image in found["message"]
    assert stalled(kube, "pull")["reason"] in ("StartDeadlineExceeded", "ImagePullFailed")


@pytest.mark.timeout(420)
def test_worker_out_of_memory(kube: Kubectl, salt: float) -> None:
    """An operation that needs more memory than a worker may have ends with words about memory."""
    plan = workplans.document(
        [workplans.constant("m", 3000 + salt), workplans.operation("a", "test.allocate", "m")],
        [workplans.show("a")],
    )
    worker = {"resources": {"limits": {"memory": "600Mi"}, "requests": {"memory": "300Mi"}}}
    kube.apply(
        workplans.workplan(
            "hungry",
            plan,
            cluster={"maxWorkers": 1, "threadsPerWorker": 1, "worker": worker},
            retry={"limit": 1, "backoffSeconds": 1},
        )
    )
    thing = ended(kube, "hungry", timeout=360)
    assert kstatus.read(thing) == "Failed", describe(kube, "hungry")
    text = json.dumps(thing["status"])
    assert "memory" in text.lower(), describe(kube, "hungry")


def test_impossible_spec_is_refused_by_the_api_server(kube: Kubectl) -> None:
    """More minimum than maximum workers, or two sources, never get into the cluster."""
    plan = workplans.addition(1, 2)
    specs: tuple[dict[str, Any], ...] = (
        {"cluster": {"minWorkers": 3, "maxWorkers": 2}},
        {"source": {}},
    )
    for spec in specs:
        thing = workplans.workplan("no", plan if "source" not in spec else None, **spec)
        with pytest.raises(AssertionError, match=r"(?i)invalid"):
            kube.apply(thing)
