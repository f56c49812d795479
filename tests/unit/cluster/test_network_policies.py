"""NetworkPolicies of a run's pods."""

from __future__ import annotations

import pytest

from tests.support.example_runs import GOLDEN, STORE, only, work_plan
from voxk8s.cluster.defaults import Defaults
from voxk8s.cluster.network_policies import build_network_policies
from voxk8s.cluster.store_target import StoreTarget


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
    """Workers may connect to the port of the store."""
    store = StoreTarget("s3://results", endpoint)
    defaults = Defaults(engine_image="e", input_ports=(1,))
    worker = build_network_policies(work_plan(), defaults, store)[1]
    assert {"protocol": "TCP", "port": port} in worker["spec"]["egress"][-1]["ports"]


def test_policies_can_be_disabled() -> None:
    """No policies are built if the chart disables them."""
    defaults = Defaults(engine_image="e", network_policies=False)
    plan, store = work_plan(), STORE
    assert build_network_policies(plan, defaults, store) == ()
