"""What the operator reads and writes for a WorkPlan."""

from __future__ import annotations

import pytest

from voxk8s.cluster.store_target import StoreTarget
from voxk8s.controller.config import StoreConfig
from voxk8s.controller.resolve.reach import Reach, reach_of
from voxk8s.controller.trust import SessionConfig, Trust
from voxk8s.storage import TrustDomains

URL = "s3://bkt/store"
PREFIXES = (f"{URL}/", "s3://scans/", "http://archive/")
SESSION = SessionConfig(read_prefixes=("s3://bkt/in/",), write_prefixes=("s3://bkt/out/{domain}/",))


def reach(*domains: str, trust: Trust, own: bool, prefixes: tuple[str, ...] = PREFIXES) -> Reach:
    """Return what may be read and written for a run in the first of these domains."""
    target = StoreTarget(URL, default=True, domains=TrustDomains(domains[0], domains[1:]))
    config = StoreConfig(URL, prefixes=prefixes, trust=trust, session=SESSION)
    return reach_of(target, config, own=own)


def test_credentials_of_the_domain_decide_themselves() -> None:
    """With them all that the chart names may be tried."""
    found = reach("team", trust=Trust(per_namespace=True), own=False)
    assert found == Reach(PREFIXES, (f"{URL}/",))


def test_one_domain_has_the_whole_store() -> None:
    """There is nobody else in it; what its runs may write is not known."""
    assert reach("shared", trust=Trust(), own=True) == Reach(PREFIXES, ())


def test_of_several_domains_each_has_its_own() -> None:
    """The prefixes of the chart that hold no results are for all."""
    trust = Trust(per_namespace=True)
    outside = ("s3://scans/", "http://archive/")
    team = reach("team", "other", trust=trust, own=True)
    places = (f"{URL}/domains/team/", f"{URL}/domains/other/", "s3://bkt/in/", "s3://bkt/out/team/")
    assert team == Reach((*places, *outside), ())
    shared = reach("shared", trust=trust, own=True)
    assert f"{URL}/ac/" in shared.read
    assert not any(f"{URL}/domains/team/".startswith(prefix) for prefix in shared.read)


@pytest.mark.parametrize(
    ("prefix", "kept"),
    [
        ("s3://bkt/", False),
        ("S3://bkt/store", False),
        (f"{URL}/domains/", False),
        (f"{URL}/cas/sha256/", False),
        (f"{URL}/scans/", True),
        ("s3://bkt/store2/", True),
    ],
)
def test_prefixes_that_hold_results(prefix: str, kept: bool) -> None:
    """They would give every domain the results of all."""
    found = reach("team", trust=Trust(per_namespace=True), own=True, prefixes=(prefix,))
    assert (prefix in found.read) is kept
