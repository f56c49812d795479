"""NetworkPolicies of a run's pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.example_runs import GOLDEN, STORE, only, work_plan
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.network_policies import build_network_policies
from voxk8s.cluster.store_target import StoreTarget
from voxk8s.inputs.addresses import METADATA_NETWORKS, PRIVATE_NETWORKS

NOT_PUBLIC = {*PRIVATE_NETWORKS, *METADATA_NETWORKS}


def test_every_pod_has_one_policy() -> None:
    """One policy restricts ingress and egress of each pod, and no rule is empty."""
    policies = [thing for thing in GOLDEN["plain"] if thing["kind"] == "NetworkPolicy"]
    for labels in (
        only(GOLDEN["plain"], "DaskCluster")["spec"]["scheduler"]["metadata"]["labels"],
        only(GOLDEN["plain"], "DaskCluster")["spec"]["worker"]["metadata"]["labels"],
        only(GOLDEN["plain"], "Job")["spec"]["template"]["metadata"]["labels"],
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


def test_only_the_dask_operator_reaches_the_dashboard() -> None:
    """Its port has no TLS and asks for no key: no pod of a run, of this one or another, gets there.

    Dask's own port is open to the pods of the run, and to nobody else.
    """
    policies = build_network_policies(work_plan(), Defaults(engine_image="e"), STORE)
    admitted: dict[int, list[Any]] = {8786: [], 8787: []}
    for rule in policies[0]["spec"]["ingress"]:
        for port in rule["ports"]:
            admitted[port["port"]] += rule["from"]
    name = {"kubernetes.io/metadata.name": "dask-operator"}
    assert admitted[8787] == [{"namespaceSelector": {"matchLabels": name}}]
    components = [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in admitted[8786]
    ]
    assert components == ["worker", "runner"]
    egress = [port for each in policies[1:] for rule in each["spec"]["egress"] for port in
              rule["ports"] if "podSelector" in rule.get("to", [{}])[0]]  # fmt: skip
    assert 8787 not in [port["port"] for port in egress if "endPort" not in port]


def _store_rule(endpoint: str | None, *, default: bool) -> Any:
    """The rule that lets workers reach a store."""
    store = StoreTarget("s3://results", endpoint, default=default)
    defaults = Defaults(engine_image="e", input_ports=(1,))
    return build_network_policies(work_plan(), defaults, store)[1]["spec"]["egress"][-1]


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        (None, 443),
        ("http://s3:8333", 8333),
        ("http://s3", 80),
        ("https://s3.example.org", 443),
    ],
)
@pytest.mark.parametrize("default", [True, False])
def test_policies_open_the_port_of_the_store(
    endpoint: str | None, port: int, default: bool
) -> None:
    """Workers may connect to the port of the store."""
    rule = _store_rule(endpoint, default=default)
    assert rule["ports"] == [{"protocol": "TCP", "port": port}]


def _excepted(rule: Any) -> set[str]:
    return {cidr for peer in rule["to"] for cidr in peer["ipBlock"].get("except", ())}


def test_a_store_of_a_workplan_is_at_a_public_address() -> None:
    """A WorkPlan's endpoint opens no port of the cluster; the chart's may be private."""
    assert _excepted(_store_rule("http://10.0.0.1:6443", default=False)) == NOT_PUBLIC
    private = _excepted(_store_rule("http://minio.lan:9000", default=True))
    assert private == set(METADATA_NETWORKS)


def test_a_store_in_the_cluster_is_reached_by_its_namespace() -> None:
    """Its pods may have another port than its Service."""
    rule = _store_rule("https://minio.store.svc.cluster.local", default=True)
    (peer,) = rule["to"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "store"}
    assert rule["ports"] == [{"protocol": "TCP", "port": 1, "endPort": 65535}]


def test_inputs_are_at_public_addresses_and_at_those_the_chart_allows() -> None:
    """Workers and runner reach no blocked network on the ports of inputs, but what is allowed."""
    defaults = Defaults(engine_image="e", allowed_cidrs=("10.7.0.0/24",))
    for policy in build_network_policies(work_plan(), defaults, STORE)[1:]:
        rule = next(rule for rule in policy["spec"]["egress"] if rule["ports"][0]["port"] == 80)
        assert _excepted(rule) == NOT_PUBLIC
        assert rule["to"][-1] == {"ipBlock": {"cidr": "10.7.0.0/24"}}


def test_no_allowed_network_contains_a_metadata_service() -> None:
    """What the chart allows is less the addresses where clouds serve credentials."""
    allowed = ("fd20::/16", "168.63.129.16/32", "169.254.169.0/24", "10.7.0.0/24")
    defaults = Defaults(engine_image="e", allowed_cidrs=allowed)
    rule = build_network_policies(work_plan(), defaults, STORE)[1]["spec"]["egress"][-1]
    assert [peer["ipBlock"] for peer in rule["to"][2:]] == [
        {"cidr": "fd20::/16", "except": ["fd20:ce::254/128"]},
        {"cidr": "10.7.0.0/24"},
    ]


def test_policies_can_be_disabled() -> None:
    """No policies are built if the chart disables them."""
    defaults = Defaults(engine_image="e", network_policies=False)
    plan, store = work_plan(), STORE
    assert build_network_policies(plan, defaults, store) == ()
