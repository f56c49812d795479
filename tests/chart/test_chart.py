"""The chart: what it renders, what it refuses."""

from __future__ import annotations

import base64
import json
import tomllib
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT
from tests.support.restricted import pods, violations
from tests.tools.generate.__main__ import CHART_VALUES
from tests.tools.helm import CHART, NAMESPACE, HelmError, helm, one, render, template
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.run_inputs import RunInputs
from voxk8s.kernels import registry

S3 = {"s3": {"enabled": True}}
OPERATOR_RIGHTS = {
    "workplans": ["get", "list", "watch", "delete"],
    "workplans/status": ["patch"],
    "workplans/finalizers": ["update"],
    "daskclusters": ["get", "list", "watch", "create", "delete"],
    "daskautoscalers": ["get", "list", "watch", "create", "patch", "delete"],
    "daskworkergroups": ["get", "list", "watch", "create", "delete"],
    "jobs": ["get", "list", "watch", "create", "delete"],
    "deployments": ["list", "watch", "delete"],
    "pods": ["list", "watch"],
    "configmaps": ["get"],
    "secrets": ["create", "list", "patch", "delete"],
    "serviceaccounts": ["get", "list", "watch", "create", "delete"],
    "serviceaccounts/finalizers": ["update"],
    "roles": ["get", "create"],
    "rolebindings": ["get", "create"],
    "networkpolicies": ["get", "create"],
    "events": ["list", "watch", "create"],
}
"""What the controller calls; the runner's role, which it may only grant as it has it, is in it."""
RELEASE = {
    "store": {"url": "s3://results/lab", "existingSecret": "store", "allowedNamespaces": ["lab"]}
}


def env(**values: Any) -> dict[str, Any]:
    """Return the operator's environment by name."""
    deployment = one(render(**values), "Deployment", "voxk8s-operator")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}


def test_lint() -> None:
    """Helm finds nothing to complain about."""
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART))


@pytest.mark.parametrize("values", CHART_VALUES.values(), ids=CHART_VALUES)
def test_every_pod_is_restricted(values: dict[str, Any]) -> None:
    """Operator, S3 server and test meet Pod Security "restricted", whatever is switched on."""
    found = [
        (thing["kind"], violations(pod))
        for thing in render(**values)
        if thing["kind"] != "CustomResourceDefinition"
        for _, pod in pods(thing)
    ]
    assert found
    assert all(not broken for _, broken in found), found


def test_only_the_operator_has_a_token() -> None:
    """Nothing else of the release calls the API."""
    tokens = {
        thing["metadata"]["name"]: pod["automountServiceAccountToken"]
        for thing in render(crds={"install": False}, **S3)
        for _, pod in pods(thing)
    }
    assert tokens == {"voxk8s-operator": True, "voxk8s-s3": False, "voxk8s-test-ready": False}


def test_operator_reads_secrets_by_name_only() -> None:
    """No rule of the release lists, watches or changes other Secrets, and none has a wildcard."""
    rules = [
        rule
        for thing in render(**S3)
        if thing["kind"] in {"Role", "ClusterRole"}
        for rule in thing["rules"]
    ]
    assert not [rule for rule in rules if "*" in json.dumps(rule)]
    verbs = {verb for rule in rules if "secrets" in rule["resources"] for verb in rule["verbs"]}
    assert verbs == {"create", "list", "patch", "delete"}
    secrets = [rule for rule in rules if "secrets" in rule["resources"]]
    named = [rule["resourceNames"] for rule in secrets if rule["verbs"] != ["create"]]
    assert named == [["voxk8s-store"]]


def test_rights_for_quotas_come_with_their_value() -> None:
    """Without `policy.quota` the operator has none; with it on one name only."""
    assert "resourcequotas" not in json.dumps(render())
    roles = [each for each in render(policy={"quota": {"pods": 5}}) if "rules" in each]
    rules = [rule for role in roles for rule in role["rules"]]
    found = [rule for rule in rules if "resourcequotas" in rule["resources"]]
    assert [(rule.get("resourceNames"), rule["verbs"]) for rule in found] == [
        (None, ["create"]),
        (["voxk8s"], ["patch"]),
    ]


def test_rights_for_kueue_come_with_its_value() -> None:
    """Nothing of Kueue is named without it, and with it also where namespaces are listed."""
    assert "kueue.x-k8s.io" not in json.dumps(render(crds={"install": False}))
    things = render(kueue={"enabled": True}, watchNamespaces=["lab"])
    role = next(t for t in things if t["kind"] == "Role" and t["metadata"]["namespace"] == "lab")
    rights = {
        name: rule["verbs"]
        for rule in role["rules"]
        if rule["apiGroups"] == ["kueue.x-k8s.io"]
        for name in rule["resources"]
    }
    assert rights == {
        "workloads": ["get", "list", "watch", "create", "patch", "delete"],
        "workloads/status": ["patch"],
    }
    rules = one(things, "ClusterRole", "voxk8s-operator-queues")["rules"]
    assert {rule["resources"][0]: rule["verbs"] for rule in rules} == {
        "resourceflavors": ["list", "watch"],
        "workloadpriorityclasses": ["get"],
        "priorityclasses": ["get"],
    }
    assert env(kueue={"enabled": True})["VOXK8S_KUEUE"] == "true"


def test_users_may_forward_the_port_of_the_s3_server_and_no_other() -> None:
    """Whoever `s3.users` names; by default nobody but administrators."""
    users = [{"kind": "Group", "name": "radiology"}]
    things = render(s3={"enabled": True, "users": users})
    role = one(things, "Role", "voxk8s-s3-users")
    assert [(rule["resources"], rule["resourceNames"]) for rule in role["rules"]] == [
        (["pods/portforward"], ["voxk8s-s3-0"])
    ]
    subjects = one(things, "RoleBinding", "voxk8s-s3-users")["subjects"]
    assert [(each["kind"], each["name"]) for each in subjects] == [("Group", "radiology")]
    assert not [each for each in render(**S3) if each["metadata"]["name"] == "voxk8s-s3-users"]


def test_operator_has_no_right_that_it_does_not_use() -> None:
    """The rules of the operator are the calls that its code makes, and no more."""
    rules = one(render(), "ClusterRole", "voxk8s-operator")["rules"]
    granted: dict[str, list[str]] = {}
    for rule in rules:
        for name in rule["resources"]:
            granted[name] = [*granted.get(name, []), *rule["verbs"]]
    assert granted == OPERATOR_RIGHTS
    *lease, pods = one(render(), "Role", "voxk8s-leader")["rules"]
    assert (pods["resources"], pods["verbs"]) == (["pods"], ["get"])
    verbs = {verb for rule in lease for verb in rule["verbs"]}
    assert verbs == {"create", "get", "list", "update", "watch"}
    named = [rule for rule in lease if "create" not in rule["verbs"]]
    assert [rule["resourceNames"] for rule in named] == [["voxk8s-leader"]]
    assert {name for rule in lease for name in rule["resources"]} == {"leases"}


def test_named_namespaces_need_no_cluster_wide_rights() -> None:
    """With watchNamespaces the operator gets a Role in each of them and no ClusterRole."""
    things = render(watchNamespaces=["lab", "ward"], rbac={"aggregate": False})
    assert not [thing for thing in things if thing["kind"].startswith("ClusterRole")]
    roles = [
        thing["metadata"]["namespace"]
        for thing in things
        if thing["kind"] == "RoleBinding" and thing["metadata"]["name"] == "voxk8s-operator"
    ]
    assert roles == ["lab", "ward"]
    assert env(watchNamespaces=["lab"])["VOXK8S_WATCH_NAMESPACES"] == '["lab"]'


def test_operator_understands_its_environment() -> None:
    """What the chart writes is what the operator reads."""
    values = {
        "image": {"engine": "engine:2", "pullSecrets": ["registry"]},
        "defaults": {"runAs": None, "worker": {"resources": {"limits": {"memory": "9Gi"}}}},
        "testKernels": {"enabled": True},
        "networkPolicy": {"apiPorts": [16443], "allowedCIDRs": ["10.7.0.0/24"]},
        "store": {"url": "s3://results/lab"},
        "inputs": {
            "restrictRuns": True,
            "maxBytes": 10**12,
            "allowedPrefixes": ["http://archive/"],
        },
    }
    plain = {name: value for name, value in env(**values).items() if isinstance(value, str)}
    read = Defaults.from_env(plain)
    assert read.engine_image == "engine:2"
    assert read.image_pull_secrets == ("registry",)
    assert read.run_as is None
    assert (read.worker.limits or {})["memory"] == "9Gi"
    assert read.test_kernels
    assert read.api_ports == (16443,)
    assert read.allowed_cidrs == ("10.7.0.0/24",)
    assert read.inputs == RunInputs(
        ("s3://results/lab/", "http://archive/", "s3://results/lab/inputs/"), 10**12
    )


def test_the_chart_knows_the_libraries_of_its_engine_image() -> None:
    """All that are part of result keys, with the locked versions; other images have others."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    locked = {package["name"].lower(): package["version"] for package in lock["package"]}
    specs = [registry().spec(name) for name in registry().names()]
    named = {name for spec in specs for name in spec.signature.libraries}
    plain = {name: value for name, value in env().items() if isinstance(value, str)}
    read = Defaults.from_env(plain)
    assert read.engine_libraries == {
        read.engine_image: {name: locked[name.lower()] for name in named}
    }


def test_defaults_of_chart_and_code_agree() -> None:
    """An operator that the chart installs has the defaults that the code documents."""
    plain = {name: value for name, value in env().items() if isinstance(value, str)}
    read, own = Defaults.from_env(plain), Defaults(engine_image=plain["VOXK8S_ENGINE_IMAGE"])
    for name in (
        "worker",
        "scheduler",
        "runner",
        "run_as",
        "api_ports",
        "input_ports",
        "blocked_cidrs",
        "allowed_cidrs",
        "inputs",
    ):
        assert getattr(read, name) == getattr(own, name), name


def test_without_a_store_nobody_has_one() -> None:
    """By default there is no store, no namespace is allowed, and the operator reads no URL."""
    given = env()
    assert given["VOXK8S_STORE"] == ""
    assert given["VOXK8S_STORE_ALLOWED_NAMESPACES"] == "[]"
    assert given["VOXK8S_INPUT_PREFIXES"] == "none:"
    assert "AWS_SECRET_ACCESS_KEY" not in given


def test_own_server_is_the_default_store() -> None:
    """With s3.enabled the store, its address and its keys need no further word."""
    given = env(**S3)
    assert given["VOXK8S_STORE"] == "s3://voxk8s"
    assert given["AWS_ENDPOINT_URL"] == f"http://voxk8s-s3.{NAMESPACE}.svc.cluster.local:8333"
    assert given["AWS_SECRET_ACCESS_KEY"]["secretKeyRef"]["name"] == "voxk8s-s3"


def test_named_store_wins_over_own_server() -> None:
    """A configured store is used, also when the small S3 server is enabled."""
    given = env(**S3, **RELEASE)
    assert given["VOXK8S_STORE"] == "s3://results/lab"
    assert "AWS_ENDPOINT_URL" not in given
    assert given["AWS_ACCESS_KEY_ID"]["secretKeyRef"]["name"] == "store"
    assert given["VOXK8S_INPUT_PREFIXES"] == "s3://results/lab/"


def test_server_gets_keys_of_its_own() -> None:
    """Keys are random, long, and stand only in the Secret."""
    text = template(values=S3)
    secret = one([thing for thing in yaml.safe_load_all(text) if thing], "Secret", "voxk8s-s3")
    key = base64.b64decode(secret["data"]["AWS_SECRET_ACCESS_KEY"]).decode()
    assert len(key) == 40
    assert key not in text
    again = one(render(**S3), "Secret", "voxk8s-s3")
    assert again["data"] != secret["data"]
    assert not [
        thing
        for thing in render(s3={"enabled": True, "existingSecret": "mine"})
        if thing["kind"] == "Secret"
    ]


def test_server_keeps_its_data() -> None:
    """Results outlive the release, unless persistence is switched off."""
    spec = one(render(**S3), "StatefulSet", "voxk8s-s3")["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    }
    assert spec["volumeClaimTemplates"][0]["metadata"]["name"] == "data"
    without = render(s3={"enabled": True, "persistence": {"enabled": False}})
    spec = one(without, "StatefulSet", "voxk8s-s3")["spec"]
    assert "volumeClaimTemplates" not in spec
    assert {"name": "data", "emptyDir": {"sizeLimit": "10Gi"}} in spec["template"]["spec"][
        "volumes"
    ]


def test_policies_have_no_empty_rule() -> None:
    """Every pod of the release is covered for ingress and egress, without an empty rule."""
    policies = [thing for thing in render(**S3) if thing["kind"] == "NetworkPolicy"]
    assert len(policies) == 2
    for policy in policies:
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert all((*policy["spec"]["ingress"], *policy["spec"]["egress"]))


def operator_egress(**values: Any) -> list[Any]:
    """Return the rules for what the operator connects to."""
    policy = one(render(**values), "NetworkPolicy", "voxk8s-operator")
    found: list[Any] = policy["spec"]["egress"]
    return found


@pytest.mark.parametrize(
    ("values", "ports", "namespaces"),
    [
        (S3, [443, 6443, 80], ["release-namespace"]),
        ({"store": {"url": "s3://results"}}, [443, 6443, 80], []),
        (
            {"store": {"url": "s3://results", "endpoint": "http://s3.lab:8333"}},
            [443, 6443, 80, 8333],
            [],
        ),
        (
            {"store": {
                "url": "s3://results", "endpoint": "https://minio.store.svc",
                "sts": {"endpoint": "https://sts.keys.svc.cluster.local:7000"},
            }},
            [443, 6443, 80],
            ["store", "keys"],
        ),
        (
            {"store": {
                "url": "s3://results", "endpoint": "https://s3.lab",
                "sts": {"endpoint": "https://sts.lab:7000"},
            }},
            [443, 6443, 80, 7000],
            [],
        ),
    ],
)  # fmt: skip
def test_the_operator_reaches_the_ports_of_pods(
    values: dict[str, Any], ports: list[int], namespaces: list[str]
) -> None:
    """Rules apply to these: a Service of a store or of DNS may have other ones than its pods."""
    dns, outside, *inside = operator_egress(**values)
    assert sorted({port["port"] for port in dns["ports"]}) == [53, 5353]
    assert [port["port"] for port in outside["ports"]] == ports
    name = "kubernetes.io/metadata.name"
    reached = [rule["to"][0]["namespaceSelector"]["matchLabels"][name] for rule in inside]
    assert reached == [NAMESPACE if each == "release-namespace" else each for each in namespaces]
    for rule in inside:
        assert rule["ports"] == [{"protocol": "TCP", "port": 1, "endPort": 65535}]


@pytest.mark.parametrize(("elects", "strategy"), [(True, "RollingUpdate"), (False, "Recreate")])
def test_only_an_election_allows_two_operators(elects: bool, strategy: str) -> None:
    """Without one the old operator is gone before the new one starts."""
    manifests = render(operator={"leaderElection": elects})
    operator = one(manifests, "Deployment", "voxk8s-operator")
    assert operator["spec"]["strategy"]["type"] == strategy


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"operater": {}}, "additional properties 'operater' not allowed"),
        ({"operator": {"replicas": -1}}, "/operator/replicas"),
        ({"operator": {"replicas": 2, "leaderElection": False}}, "/operator/replicas"),
        ({"operator": {"logLevel": "LOUD"}}, "/operator/logLevel"),
        ({"image": {"engine": ""}}, "/image/engine"),
        ({"image": {"engine": "has space"}}, "/image/engine"),
        ({"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
        ({"store": {"url": "/data"}}, "/store/url"),
        ({"store": {"endpoint": "s3.example.org"}}, "/store/endpoint"),
        ({"store": {"allowedNamespaces": "lab"}}, "/store/allowedNamespaces"),
        ({"store": {"allowedNamespaces": ["Lab"]}}, "/store/allowedNamespaces/0"),
        ({"inputs": {"allowedPrefixes": ["file:///"]}}, "/inputs/allowedPrefixes/0"),
        ({"s3": {"bucket": "A_B"}}, "/s3/bucket"),
        ({"defaults": {"worker": {"resources": {"limits": {"memory": "4 GB"}}}}}, "memory"),
        ({"defaults": {"runAs": 0}}, "/defaults/runAs"),
        ({"networkPolicy": {"apiPorts": []}}, "/networkPolicy/apiPorts"),
    ],
)
def test_schema_refuses_wrong_values(values: dict[str, Any], complaint: str) -> None:
    """A value that cannot work is refused before anything is installed, with its place."""
    with pytest.raises(HelmError) as caught:
        render(**values)
    assert complaint in str(caught.value)


def test_every_value_is_documented_and_checked() -> None:
    """values.yaml and its schema have the same keys."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    def compare(given: Any, known: Any, path: str) -> None:
        if "properties" not in known or not isinstance(given, dict) or "$ref" in known:
            return
        assert set(given) == set(known["properties"]) - {"global"}, path
        assert known["additionalProperties"] is False, path
        for key, value in given.items():
            compare(value, known["properties"][key], f"{path}.{key}")

    compare(values, schema, "$")


def test_notes_say_who_may_use_the_store() -> None:
    """After an installation without allowed namespaces, the notes say how to add one."""
    words = ["install", "voxk8s", str(CHART), "--dry-run=client", "--namespace", NAMESPACE]
    assert "store.allowedNamespaces" in helm(*words, "--set", "s3.enabled=true")
    assert "There is no default store" in helm(*words)
