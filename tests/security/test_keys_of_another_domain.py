"""A run with credentials of its own trust domain, on a real S3 server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support import s3
from tests.support.plans_and_runs import PlanMaker
from tests.support.values import same
from voxk8s.errors import StoreAccessDenied
from voxk8s.execution import ExecutionEngine
from voxk8s.storage import MISS, Limits, PutStatus, ResultStore, TrustDomains, open_store
from voxk8s.storage.layout import blob_path
from voxk8s.storage.scoped_credentials import session_policy
from voxk8s.storage.store_options import parse_url

pytestmark = pytest.mark.s3

STORE = f"s3://{s3.BUCKET}/store"
VALUE = np.random.default_rng(1).normal(size=(200, 200))
KEY = hashlib.sha256(b"key").hexdigest()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.S3Server]:
    """Return a server, with its own key, whose store has a result in each of four domains."""
    with s3.serve(tmp_path_factory.mktemp("rights")) as found:
        for domain in ("shared", "team-a", "team-b", "team-ab"):
            store = open_store(STORE, domain=domain, options=found.options, env={})
            store.put(hashlib.sha256(domain.encode()).hexdigest(), VALUE)
        yield found


RIGHTS = {"team-a": TrustDomains("team-a"), "team-b": TrustDomains("team-b", ("team-a",))}


def opened(server: s3.S3Server, key: str, domain: str, trusts: tuple[str, ...] = ()) -> ResultStore:
    """Open a domain with the credentials of a run in the domain `key`."""
    policy = session_policy(parse_url(STORE), RIGHTS[key], confine_listing=True)
    options = server.session(*policy["Statement"]).options
    return open_store(STORE, domain=domain, trusts=trusts, options=options, env={})


def test_the_key_of_its_domain_is_all_that_a_run_needs(server: s3.S3Server) -> None:
    """Look-ups, results of all sizes, pins, costs, leases, and the collection of garbage."""
    make = PlanMaker()
    make.show("x", make("addition", 1.0, 2.0))
    make.save("x.json", make("addition", 1.0, 2.0))
    for _ in range(2):
        engine = ExecutionEngine(opened(server, "team-a", "team-a"), write_files=False)
        assert engine.execute_workplan(make.plan())["x"] == 3.0
    store = opened(server, "team-a", "team-a")
    noise = np.frombuffer(np.random.default_rng(5).bytes(20 << 20), "uint8")
    assert store.get(KEY) is MISS
    assert store.put(KEY, noise).status is PutStatus.CREATED
    assert same(opened(server, "team-a", "team-a").get(KEY), noise)
    probe = store.probe()
    assert probe.conditional_writes
    assert probe.conditional_updates
    lease = store.lease(KEY, "me")
    assert lease.acquire() is None
    lease.release()
    assert store.verify().sound
    store.delete([KEY])
    assert store.get(KEY) is MISS


def test_blobs_of_its_own_domain_cannot_be_deleted(server: s3.S3Server) -> None:
    """Neither one by one nor by a collection of garbage, which the maintenance key makes."""
    mine = hashlib.sha256(b"blob").hexdigest()
    store = opened(server, "team-a", "team-a")
    store.put(mine, VALUE + 1)
    digest = store.record(mine)
    assert digest is not None
    path = blob_path(digest.digest)
    with pytest.raises(StoreAccessDenied):
        store._backend.delete(path)
    root = f"store/domains/team-a/{path}"
    session = server.session(*session_policy(parse_url(STORE), RIGHTS["team-a"])["Statement"])
    answer = session.client().delete_objects(
        Bucket=s3.BUCKET, Delete={"Objects": [{"Key": root}], "Quiet": False}
    )
    assert [error["Code"] for error in answer.get("Errors", ())] == ["AccessDenied"]
    store.delete([mine])
    with pytest.raises(StoreAccessDenied):
        store.collect(Limits(grace=-1.0))
    owner = open_store(STORE, domain="team-a", options=server.options, env={})
    assert owner._backend.head(path) is not None
    assert owner.collect(Limits(grace=-1.0)).blobs >= 1
    assert owner._backend.head(path) is None


def test_damaged_blobs_are_healed_without_deleting(
    server: s3.S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process sees the damage, another one, which compares no bytes, stores the value again."""
    monkeypatch.setattr("voxk8s.storage.blob_store._COMPARE_UPTO", 0)
    mine = hashlib.sha256(b"damage").hexdigest()
    store = opened(server, "team-a", "team-a")
    store.put(mine, VALUE + 2)
    digest = store.record(mine)
    assert digest is not None
    path = blob_path(digest.digest)
    spoilt = bytearray(store._backend.get(path) or b"")
    spoilt[-1] ^= 1
    store._backend.write(path, (bytes(spoilt),), "application/octet-stream")
    for _ in range(2):
        assert opened(server, "team-a", "team-a").get(mine) is MISS
    assert opened(server, "team-a", "team-a").contains([mine]) == set()
    opened(server, "team-a", "team-a").put(mine, VALUE + 2)
    assert same(opened(server, "team-a", "team-a").get(mine), VALUE + 2)


@pytest.mark.parametrize("domain", ["shared", "team-b", "team-ab"])
def test_nothing_of_another_domain_can_be_read_written_deleted_or_listed(
    server: s3.S3Server, domain: str
) -> None:
    """Nor can anybody learn which results are there; a longer name is another domain, too."""
    theirs = hashlib.sha256(domain.encode()).hexdigest()
    store = opened(server, "team-a", domain)
    backend = store._backend
    digest = open_store(STORE, domain=domain, options=server.options, env={}).record(theirs)
    assert digest is not None
    for attack in (
        lambda: store.get(theirs),
        lambda: store.contains([theirs]),
        lambda: store.contains([KEY]),
        lambda: store.put(KEY, 1),
        lambda: store.put(theirs, 1, replace=True),
        lambda: backend.write(blob_path(digest.digest), (b"spoilt",), "text/plain"),
        lambda: backend.create(blob_path(digest.digest), (b"spoilt",), "text/plain"),
        lambda: backend.delete(blob_path(digest.digest)),
        lambda: store.delete([theirs]),
        lambda: store.lease(theirs, "me").acquire(),
        store.stats,
    ):
        with pytest.raises(StoreAccessDenied):
            attack()
    owner = open_store(STORE, domain=domain, options=server.options, env={})
    assert same(owner.get(theirs), VALUE)
    assert owner.verify().sound


def test_a_domain_that_trusts_reads_and_cannot_write(server: s3.S3Server) -> None:
    """Its credentials may only read there, and nothing more is tried."""
    theirs = hashlib.sha256(b"team-a").hexdigest()
    store = opened(server, "team-b", "team-b", ("team-a",))
    assert store.contains([theirs]) == {theirs}
    assert same(store.get(theirs), VALUE)
    assert store.put(theirs, VALUE).status is PutStatus.CREATED
    there = opened(server, "team-b", "team-a")
    with pytest.raises(StoreAccessDenied):
        there.put(KEY, 1)
    with pytest.raises(StoreAccessDenied):
        there.delete([theirs])


def test_trust_without_rights_is_a_miss(
    server: s3.S3Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Who names domains to trust gets no rights by that; the run goes on, with one warning."""
    store = opened(server, "team-a", "team-a", ("team-b", "shared"))
    theirs = [hashlib.sha256(name).hexdigest() for name in (b"team-b", b"shared")]
    assert store.contains(theirs) == set()
    assert store.get(theirs[0]) is MISS
    assert store.put(theirs[0], 1).status is PutStatus.CREATED
    assert len([text for text in caplog.messages if "cannot be used" in text]) == 2
    store.delete(theirs)
