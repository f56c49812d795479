"""Trust domains of namespaces."""

from __future__ import annotations

import pytest

from voxk8s.controller.trust import Domain, Trust, for_domain
from voxk8s.errors import StoreAccessDenied
from voxk8s.storage import TrustDomains

TEAMS = {"team": Domain(namespaces=("lab", "ward"), trusts=("shared",))}


def test_one_domain_for_all() -> None:
    """Without a division every namespace belongs to `shared`."""
    assert Trust().domains_of("lab") == TrustDomains("shared")
    assert not Trust().divides


def test_each_namespace_a_domain_of_its_own() -> None:
    """A namespace's own domain has its name, and trusts what the chart says."""
    trust = Trust(per_namespace=True, trusts=("team",))
    assert trust.domains_of("lab") == TrustDomains("lab", ("team",))
    assert trust.divides


@pytest.mark.parametrize("per_namespace", [True, False])
def test_named_domains_come_first(per_namespace: bool) -> None:
    """Namespaces of a named domain share it, whatever the others do."""
    trust = Trust(per_namespace=per_namespace, domains=TEAMS)
    assert trust.domains_of("lab") == trust.domains_of("ward") == TrustDomains("team", ("shared",))
    assert trust.domains_of("other").own == ("other" if per_namespace else "shared")


@pytest.mark.parametrize("namespace", ["shared", "team"])
def test_a_name_gives_no_membership(namespace: str) -> None:
    """Whoever may name a namespace does not get into a domain of that name."""
    with pytest.raises(StoreAccessDenied, match=namespace):
        Trust(per_namespace=True, domains=TEAMS).domains_of(namespace)


def test_prefixes_of_a_domain() -> None:
    """`{domain}` in a prefix stands for the name of the domain."""
    assert for_domain(("s3://b/in/", "s3://b/{domain}/out/"), "team") == (
        "s3://b/in/",
        "s3://b/team/out/",
    )


def test_accounts_of_namespaces() -> None:
    """That of the domain that names the namespace, even if it is none; else the chart's."""
    teams = {"team": Domain(("lab",), service_account="reader"), "keys": Domain(("ward",))}
    trust = Trust(domains=teams, service_account="others")
    found = [trust.account_of(namespace) for namespace in ("lab", "ward", "elsewhere")]
    assert found == ["reader", "", "others"]
