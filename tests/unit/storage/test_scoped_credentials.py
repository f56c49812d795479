"""Rights of the runs of a trust domain."""

from __future__ import annotations

from typing import Any

import pytest

from voxk8s.errors import InvalidUsage
from voxk8s.storage import TrustDomains
from voxk8s.storage.scoped_credentials import session_policy
from voxk8s.storage.store_options import parse_url

STORE = parse_url("s3://bucket/results")


def _resources(policy: dict[str, Any], action: str, effect: str = "Allow") -> set[str]:
    return {
        resource.removeprefix("arn:aws:s3:::")
        for statement in policy["Statement"]
        if action in statement["Action"] and statement["Effect"] == effect
        for resource in statement["Resource"]
    }


def test_a_run_writes_in_its_own_domain_only() -> None:
    """Rights to write are below one prefix; those to read include the trusted domains."""
    policy = session_policy(STORE, TrustDomains("team", ("other",)), read=["s3://bucket/inputs/"])
    own = "bucket/results/domains/team/*"
    assert _resources(policy, "s3:PutObject") == _resources(policy, "s3:DeleteObject") == {own}
    assert _resources(policy, "s3:GetObject") == {
        own,
        "bucket/results/domains/other/*",
        "bucket/inputs/*",
    }


@pytest.mark.parametrize(("domain", "root"), [("team", "domains/team/"), ("shared", "")])
def test_a_run_deletes_no_blobs(domain: str, root: str) -> None:
    """Not even those of its own domain: a denial comes before all that is allowed."""
    policy = session_policy(STORE, TrustDomains(domain))
    assert _resources(policy, "s3:DeleteObject", "Deny") == {f"bucket/results/{root}cas/sha256/*"}


def test_the_shared_domain_has_no_rights_in_others() -> None:
    """At the root of a store its folders are named one by one, so that `domains/` is not in it."""
    written = _resources(session_policy(STORE, TrustDomains()), "s3:PutObject")
    assert {"bucket/results/ac/*", "bucket/results/cas/*", "bucket/results/lease/*"} <= written
    assert not [resource for resource in written if resource.startswith("bucket/results/d")]
    assert "bucket/results/*" not in written


def test_listings_are_confined_to_prefixes() -> None:
    """A run lists its own domain and its inputs; saved files may be in another bucket."""
    policy = session_policy(
        STORE, TrustDomains("team"), write=["s3://files/{x}/"], confine_listing=True
    )
    conditions = {
        statement["Resource"][0]: statement["Condition"]["StringLike"]["s3:prefix"]
        for statement in policy["Statement"]
        if statement["Action"] == ["s3:ListBucket"]
    }
    assert conditions == {
        "arn:aws:s3:::bucket": ["results/domains/team/*"],
        "arn:aws:s3:::files": ["{x}/*"],
    }


def test_listings_of_the_bucket() -> None:
    """Where a missing object needs the right to list, a run may list the bucket."""
    (listing,) = (
        statement
        for statement in session_policy(STORE, TrustDomains("team"))["Statement"]
        if statement["Action"] == ["s3:ListBucket"]
    )
    assert "Condition" not in listing


def test_a_name_that_begins_alike_is_another_domain() -> None:
    """The prefix of a domain ends in a slash."""
    written = _resources(session_policy(STORE, TrustDomains("team")), "s3:PutObject")
    assert not any("bucket/results/domains/team-b/x".startswith(w.rstrip("*")) for w in written)


def test_only_s3_has_sessions() -> None:
    """A store elsewhere is refused."""
    with pytest.raises(InvalidUsage, match="s3://"):
        session_policy(parse_url("redis://host"), TrustDomains())
