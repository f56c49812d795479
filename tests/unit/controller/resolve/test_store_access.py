"""Which store a WorkPlan may use, and whether the operator may read it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.controller import observed_builders as build
from voxk8s.api.spec import Store
from voxk8s.controller.config import StoreConfig
from voxk8s.controller.resolve.store_access import (
    StoreAccess,
    may_read,
    secret_options,
    store_access,
)
from voxk8s.controller.trust import Domain, Trust
from voxk8s.errors import InvalidUsage, StoreAccessDenied
from voxk8s.storage import StoreOptions, TrustDomains

OPTIONS = StoreOptions(endpoint="http://s3:8333", region="r", key="KEY", secret="SECRET")


def config(**changes: Any) -> StoreConfig:
    """Make the configuration of a default store."""
    return StoreConfig(
        **{"url": "s3://results", "options": OPTIONS, "prefixes": ("s3://results/",), **changes}
    )


def access(spec: dict[str, Any] | None = None, **changes: Any) -> StoreAccess:
    """Return the store of a WorkPlan in namespace ns."""
    return store_access(build.workplan(spec), config(**changes))


def test_default_store_comes_with_a_secret() -> None:
    """The default store's credentials reach the pods in a Secret only."""
    found = access()
    assert found.operator_may_read
    assert found.target.secret == "voxk8s-store"
    assert "SECRET" not in repr(found.target)
    assert (found.target.url, found.target.endpoint) == ("s3://results", "http://s3:8333")


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"allowed": ("other",)}, False),
        ({"allowed": ("ns", "other")}, True),
        ({"allowed": ()}, False),
        ({"denied": ("ns",)}, False),
        ({"denied": ("other",)}, True),
        ({"allowed": ("*",), "denied": ("*",)}, False),
    ],
)
def test_namespaces(changes: dict[str, Any], allowed: bool) -> None:
    """The default store is for the allowed namespaces; denial takes precedence."""
    if allowed:
        access(**changes)
        return
    with pytest.raises(StoreAccessDenied, match=r"ns.*spec\.store"):
        access(**changes)


def test_trust_domain_of_a_namespace() -> None:
    """The run of a namespace gets its domain; a domain's namespaces may use the store."""
    trust = Trust(domains={"team": Domain(namespaces=("ns",), trusts=("shared",))})
    found = access(allowed=(), trust=trust)
    assert found.target.domains == TrustDomains("team", ("shared",))
    with pytest.raises(StoreAccessDenied):
        access(allowed=(), denied=("ns",), trust=trust)


def test_no_default_store() -> None:
    """Without a default store the error says what to do."""
    with pytest.raises(StoreAccessDenied, match=r"spec\.store"):
        access(url=None)


def own(**parts: Any) -> dict[str, Any]:
    """Make a spec with its own store."""
    store = {"url": "s3://results/mine", "endpoint": "http://s3:8333", **parts}
    return {"store": {"credentialsSecretRef": {"name": "keys"}, **store}}


def test_user_store_uses_the_users_secret() -> None:
    """A user's store is used with the user's Secret; the operator's is never copied."""
    found = access(own(), denied=("ns",))
    assert found.target.secret == "keys"
    assert found.target.domains == TrustDomains()


@pytest.mark.parametrize(
    ("parts", "opened"),
    [
        ({}, True),
        ({"url": "s3://results"}, True),
        ({"url": "s3://results-of-others"}, False),
        ({"url": "s3://elsewhere/mine"}, False),
        ({"endpoint": "http://169.254.169.254"}, False),
        ({"endpoint": None}, False),
        ({"endpoint": "http://s3:8333/"}, True),
        ({"credentialsSecretRef": None}, False),
    ],
)
def test_operator_reads_only_what_the_chart_allows(parts: dict[str, Any], opened: bool) -> None:
    """The operator reads only stores below its prefixes, on its own server."""
    assert access(own(**parts)).operator_may_read == opened


@pytest.mark.parametrize(
    "parts", [{"url": "s3://results/../x"}, {"url": "s3://"}, {"endpoint": "s3"}]
)
def test_malformed_store(parts: dict[str, Any]) -> None:
    """A malformed URL or endpoint is an error of the spec."""
    with pytest.raises(InvalidUsage):
        access(own(**parts))


def test_slash_behind_an_endpoint() -> None:
    """An endpoint is passed to pods without its last slash."""
    assert access(own(endpoint="http://other/")).target.endpoint == "http://other"


def test_store_that_is_not_on_s3() -> None:
    """A store that is not on S3 is rejected, and the error says so."""
    with pytest.raises(StoreAccessDenied, match="s3://"):
        access(own(url="file:///data"))


def test_prefixes_match_path_segments() -> None:
    """A prefix matches whole path segments only."""
    assert may_read("s3://results/a", config(prefixes=("s3://results",)))
    assert not may_read("s3://results2/a", config(prefixes=("s3://results",)))
    assert not may_read("s3://results/a", config(prefixes=("none:",)))


def secret(**data: str) -> dict[str, Any]:
    """Make a Secret."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"metadata": {"name": "keys"}, "data": encoded}


def test_secret_is_read() -> None:
    """The options have the credentials of the Secret and the endpoint of the store."""
    found = secret_options(
        Store(url="s3://x", endpoint="http://e"),
        secret(AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s"),
    )
    assert (found.key, found.secret, found.token, found.endpoint) == ("k", "s", None, "http://e")


def test_incomplete_secret_names_the_key() -> None:
    """The error for an incomplete Secret names the missing key, and no values."""
    with pytest.raises(StoreAccessDenied, match=r"keys.*AWS_SECRET_ACCESS_KEY") as caught:
        secret_options(Store(url="s3://x"), secret(AWS_ACCESS_KEY_ID="topsecret"))
    assert "topsecret" not in str(caught.value)


def test_the_region_of_an_author_is_checked() -> None:
    """It becomes part of the address of the STS, which gets the tokens of accounts."""
    with pytest.raises(InvalidUsage, match="region"):
        access({"store": {"url": "s3://mine", "region": "stranger.example/"}})


@pytest.mark.parametrize(
    ("store", "chart", "same"),
    [
        (None, OPTIONS, True),
        ({"endpoint": "http://s3:8333/"}, OPTIONS, True),
        ({"endpoint": "https://s3.stranger.example"}, OPTIONS, False),
        ({}, OPTIONS, False),
        ({"region": "eu-west-1"}, StoreOptions(region="us-east-1"), True),
        ({"region": "cn-north-1"}, StoreOptions(region="us-east-1"), False),
        ({"endpoint": "https://s3.stranger.example"}, StoreOptions(), False),
    ],
)
def test_the_server_of_the_chart(
    store: dict[str, Any] | None, chart: StoreOptions, same: bool
) -> None:
    """An author's store is at the chart's server or at another, where names mean other buckets."""
    spec = {} if store is None else {"store": {"url": "s3://mine", **store}}
    assert access(spec, options=chart).target.chart_server is same


def test_the_store_of_the_chart_is_known_to_every_run() -> None:
    """Also to one with a store of its own: it writes nothing into the chart's."""
    assert access().target.chart_url == "s3://results"
    assert access({"store": {"url": "s3://mine"}}).target.chart_url == "s3://results"
    assert access({"store": {"url": "s3://mine"}}, url=None).target.chart_url is None
