"""The objects that one run consists of."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml

from tests.support import example_runs
from tests.support.paths import DATA
from tests.support.restricted import pods, violations
from voxk8s.cluster import dask_cluster, network_policies, rbac, runner_job
from voxk8s.cluster.child_names import label_value
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.resources import resource_of
from voxk8s.cluster.store_target import StoreTarget, build_credentials_secret

GOLDEN = DATA / "manifests"
EVERYTHING = [thing for things in example_runs.GOLDEN.values() for thing in things]


def the(things: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Give the first object of a kind."""
    return next(thing for thing in things if thing["kind"] == kind)


def env(container: dict[str, Any]) -> dict[str, Any]:
    """Give a container's environment by name."""
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}


def container(manifest: dict[str, Any], *path: str) -> dict[str, Any]:
    """Give the only container of the pod spec at a path."""
    for step in path:
        manifest = manifest[step]
    only: dict[str, Any] = manifest["containers"][0]
    return only


PLAIN = example_runs.GOLDEN["plain"]
SHAPED = example_runs.GOLDEN["shaped"]
SCHEDULER = container(the(PLAIN, "DaskCluster"), "spec", "scheduler", "spec")
WORKER = container(the(PLAIN, "DaskCluster"), "spec", "worker", "spec")
RUNNER = container(the(PLAIN, "Job"), "spec", "template", "spec")


@pytest.mark.parametrize("name", example_runs.GOLDEN)
def test_manifests_are_the_golden_ones(name: str) -> None:
    """A change of any manifest is seen in a file (`make generate` writes them)."""
    golden = list(yaml.safe_load_all((GOLDEN / f"run-{name}.yaml").read_text()))
    assert json.loads(json.dumps(example_runs.GOLDEN[name])) == golden


def test_every_pod_is_restricted() -> None:
    """Scheduler, worker and runner meet Pod Security "restricted", with a memory limit."""
    found = [
        (thing["kind"], path, violations(pod)) for thing in EVERYTHING for path, pod in pods(thing)
    ]
    assert len(found) == 6
    assert all(not broken for _, _, broken in found), found


def test_only_the_runner_has_a_token() -> None:
    """Pods that run kernels cannot call the API."""
    tokens = {
        (thing["kind"], path): pod["automountServiceAccountToken"]
        for thing in PLAIN
        for path, pod in pods(thing)
    }
    assert tokens == {
        ("DaskCluster", "$.spec.scheduler.spec"): False,
        ("DaskCluster", "$.spec.worker.spec"): False,
        ("Job", "$.spec.template.spec"): True,
    }


def test_only_who_needs_them_has_the_credentials() -> None:
    """The scheduler moves no results: it gets the store's address and not its keys."""
    assert "AWS_SECRET_ACCESS_KEY" not in env(SCHEDULER)
    assert env(SCHEDULER)["VOXK8S_STORE"] == "s3://results/lab"
    for having in (WORKER, RUNNER):
        assert env(having)["AWS_SECRET_ACCESS_KEY"]["secretKeyRef"]["name"] == "credentials"
        assert env(having)["AWS_SESSION_TOKEN"]["secretKeyRef"]["optional"] is True


def test_store_without_a_secret_needs_no_keys() -> None:
    """With a cloud's workload identity no variable refers to a Secret."""
    worker = container(the(SHAPED, "DaskCluster"), "spec", "worker", "spec")
    assert not [name for name in env(worker) if name.startswith("AWS_")]


def test_everything_goes_with_its_work_plan() -> None:
    """All but the account that the namespace's runs share is owned by the WorkPlan."""
    without = [
        thing["metadata"]["name"] for thing in PLAIN if "ownerReferences" not in thing["metadata"]
    ]
    assert without == [rbac.COMPUTE_ACCOUNT]


def test_everything_is_of_a_known_kind_and_labelled() -> None:
    """Each child is found by the WorkPlan's label, also when its name is long."""
    for thing in EVERYTHING:
        assert resource_of(thing).kind == thing["kind"]
        if "ownerReferences" in thing["metadata"]:
            owner = thing["metadata"]["ownerReferences"][0]["name"]
            labels = thing["metadata"]["labels"]
            assert labels["voxk8s.io/workplan"] == label_value(owner)
            assert all(len(value) <= 63 for value in labels.values())


def test_user_cannot_hide_a_pod_from_its_policies() -> None:
    """A user's labels and variables never replace those of voxk8s."""
    worker = the(SHAPED, "DaskCluster")["spec"]["worker"]
    labels = worker["metadata"]["labels"]
    assert labels["team"] == "lab"
    assert labels["voxk8s.io/workplan"] == label_value(example_runs.SHAPED.metadata.name)
    names = [item["name"] for item in worker["spec"]["containers"][0]["env"]]
    assert len(names) == len(set(names))
    assert env(worker["spec"]["containers"][0])["HOME"] == "/tmp"


def test_worker_knows_its_memory() -> None:
    """Dask's `auto` would be a share of the node: the limit is told in bytes where there is one."""
    command = WORKER["command"]
    assert command[command.index("--memory-limit") + 1] == str(4 * 2**30)
    unlimited = dask_cluster.build_dask_cluster(
        example_runs.work_plan(cluster={"worker": {"resources": {"requests": {"cpu": 1}}}}),
        example_runs.PLAIN,
        example_runs.STORE,
        workers=1,
    )
    command = container(unlimited, "spec", "worker", "spec")["command"]
    assert command[command.index("--memory-limit") + 1] == "auto"


def test_scheduler_serves_its_autoscaler() -> None:
    """Without this route dask-kubernetes kills the newest workers instead of the idle ones."""
    assert (
        "distributed.http.scheduler.api"
        in env(SCHEDULER)["DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES"]
    )


def test_nothing_waits_for_a_probe() -> None:
    """Readiness is looked at from the first second on, every second."""
    for having in (SCHEDULER, WORKER):
        probe = having["readinessProbe"]
        assert (probe["initialDelaySeconds"], probe["periodSeconds"]) == (0, 1)


def test_autoscaler_stays_within_what_was_asked_for() -> None:
    """The minimum is never below minWorkers and never above maxWorkers."""
    resource = example_runs.work_plan(cluster={"minWorkers": 2, "maxWorkers": 3})

    def minimum(wanted: int) -> int:
        spec = dask_cluster.build_dask_autoscaler(
            resource, example_runs.PLAIN, "c", minimum=wanted
        )["spec"]
        assert spec["maximum"] == 3
        return int(spec["minimum"])

    assert [minimum(wanted) for wanted in (0, 3, 9)] == [2, 3, 3]


def test_service_selects_the_scheduler_of_its_cluster() -> None:
    """The name that is a hash of the spec also stands in the spec."""
    cluster = the(PLAIN, "DaskCluster")
    selector = cluster["spec"]["scheduler"]["service"]["selector"]
    assert selector["dask.org/cluster-name"] == cluster["metadata"]["name"]
    assert env(RUNNER)["VOXK8S_SCHEDULER_ADDRESS"] == dask_cluster.scheduler_address(
        cluster["metadata"]["name"], "lab"
    )


def test_each_cluster_has_its_own_runner_job() -> None:
    """The name of the Job depends on the DaskCluster that the runner connects to."""

    def name(cluster: str) -> str:
        job = runner_job.build_runner_job(
            example_runs.work_plan(), example_runs.PLAIN, example_runs.STORE, cluster=cluster
        )
        given: str = job["metadata"]["name"]
        return given

    assert name("c") == name("c") != name("d")


def test_runner_may_only_write_its_own_status() -> None:
    """Every rule names the one object it is about."""
    rules = the(SHAPED, "Role")["rules"]
    own = example_runs.SHAPED.metadata.name
    assert [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in rules] == [
        (["workplans"], [own], ["get"]),
        (["workplans/status"], [own], ["patch"]),
        (["configmaps"], ["programs"], ["get"]),
    ]


def test_credentials_are_named_by_their_content() -> None:
    """New keys make a new Secret, so that none is ever read or changed; other keys stay behind."""

    def secret(**more: str) -> dict[str, Any]:
        return build_credentials_secret(
            example_runs.work_plan(), example_runs.PLAIN, example_runs.CREDENTIALS | more
        )

    made = secret()
    assert base64.b64decode(made["data"]["AWS_ACCESS_KEY_ID"]) == b"key"
    assert set(made["data"]) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert made["metadata"]["name"] == secret(OTHER="x")["metadata"]["name"]
    assert made["metadata"]["name"] != secret(AWS_ACCESS_KEY_ID="new")["metadata"]["name"]


def test_policies_cover_every_pod_both_ways() -> None:
    """Each pod of a run is selected by one policy for ingress and egress, with no empty rule."""
    policies = [thing for thing in PLAIN if thing["kind"] == "NetworkPolicy"]
    for labels in (
        the(PLAIN, "DaskCluster")["spec"]["scheduler"]["metadata"]["labels"],
        the(PLAIN, "DaskCluster")["spec"]["worker"]["metadata"]["labels"],
        the(PLAIN, "Job")["spec"]["template"]["metadata"]["labels"],
    ):
        selecting = [
            policy
            for policy in policies
            if policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        ]
        assert len(selecting) == 1
        assert selecting[0]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    rules = [
        rule
        for policy in policies
        for rule in (*policy["spec"]["ingress"], *policy["spec"]["egress"])
    ]
    assert all(rules)
    assert all(rule.get("ports") for rule in rules)


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        (None, 443),
        ("http://s3:8333", 8333),
        ("http://s3", 80),
        ("https://s3.example.org", 443),
    ],
)
def test_policies_open_the_port_of_the_store(endpoint: str | None, port: int) -> None:
    """Workers reach the store wherever it listens."""
    store = StoreTarget("s3://results", endpoint)
    defaults = Defaults(engine_image="e", input_ports=(1,))
    worker = network_policies.build_network_policies(example_runs.work_plan(), defaults, store)[1]
    assert {"protocol": "TCP", "port": port} in worker["spec"]["egress"][-1]["ports"]


def test_policies_can_be_left_to_others() -> None:
    """A cluster with policies of its own gets none of ours."""
    defaults = Defaults(engine_image="e", network_policies=False)
    plan, store = example_runs.work_plan(), example_runs.STORE
    assert network_policies.build_network_policies(plan, defaults, store) == ()
