"""Names and places of trust domains."""

from __future__ import annotations

import pytest

from voxk8s.errors import InvalidUsage
from voxk8s.storage.store_options import Location, parse_url
from voxk8s.storage.trust_domain import (
    TrustDomains,
    choose_domains,
    domain_name,
    domain_names,
    domain_root,
    split_root,
)

URLS = ("s3://bucket", "s3://bucket/a/b", "/data/store", "memory://m", "redis://host/3/p")


@pytest.mark.parametrize("name", ["a", "team-a", "0", "a" * 63])
def test_names_are_labels(name: str) -> None:
    """As those of namespaces."""
    assert domain_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "A", "a_b", "a.b", "-a", "a-", "a" * 64, "..", "a/b", "a/../b", "a\n", "*", "é", " a"],
)
def test_other_names_are_refused(name: str) -> None:
    """None of them may become a path."""
    with pytest.raises(InvalidUsage, match="expected the name of a trust domain"):
        domain_name(name)
    with pytest.raises(InvalidUsage, match="expected the name of a trust domain"):
        TrustDomains(name)
    with pytest.raises(InvalidUsage, match="expected the name of a trust domain"):
        TrustDomains("a", (name,))


def test_lists_of_names() -> None:
    """They are separated by commas or spaces; none twice, nor the own one."""
    assert domain_names(" b, shared c,") == ("b", "shared", "c")
    assert domain_names("") == ()
    assert TrustDomains("a", ("b", "a", "c", "b")).trusts == ("b", "c")


@pytest.mark.parametrize("url", URLS)
def test_domains_lie_below_the_store(url: str) -> None:
    """The shared one is the store itself; the URL of each names it."""
    store = parse_url(url)
    root = domain_root(store, "team-a")
    assert root.url == f"{store.url}/domains/team-a"
    assert domain_root(store, "shared") == store
    assert split_root(root) == (store, "team-a")
    assert split_root(store) == (store, None)
    assert split_root(parse_url(root.url)) == (store, "team-a")


@pytest.mark.parametrize(
    "location",
    [
        Location("s3", "bucket", "mydomains/a"),
        Location("s3", "bucket", "domains/A"),
        Location("s3", "bucket", "domains/a/b"),
        Location("s3", "domains/a"),
    ],
)
def test_other_places_name_no_domain(location: Location) -> None:
    """Only a last folder whose name is a label, in a folder `domains`."""
    assert split_root(location) == (location, None)


def test_the_caller_decides_then_the_url_then_the_environment() -> None:
    """What a process trusts says nothing about another domain that a URL names."""
    assert choose_domains(None, None, None, "", "") == TrustDomains("shared")
    assert choose_domains(None, None, None, "a", "b shared") == TrustDomains("a", ("b", "shared"))
    assert choose_domains(None, "c", None, "a", "b") == TrustDomains("c", ("b",))
    assert choose_domains(None, None, ("c",), "a", "b") == TrustDomains("a", ("c",))
    assert choose_domains(None, None, (), "a", "b") == TrustDomains("a")
    assert choose_domains("c", None, None, "a", "b") == TrustDomains("c")
    assert choose_domains("a", None, None, "a", "b") == TrustDomains("a", ("b",))
    assert choose_domains("c", "c", ("d",), "", "") == TrustDomains("c", ("d",))
    with pytest.raises(InvalidUsage, match=r"expected the trust domain c, .*, got d"):
        choose_domains("c", "d", None, "", "")
