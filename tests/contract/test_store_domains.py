"""Trust domains of a store, over memory, a folder, and real servers."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from tests.contract.test_store_conformance import LARGE, damage, flip, key
from tests.support.values import same
from voxk8s.errors import BlobMissing, StoreAccessDenied
from voxk8s.plan.keys.pins import Pin
from voxk8s.plan.model import Digest
from voxk8s.storage import MISS, Limits, Provenance, PutStatus, ResultStore, Selection, open_store
from voxk8s.storage.kernel_costs import Cost, KernelCosts
from voxk8s.storage.layout import blob_path, record_path

DAY = 86_400.0
Domains = Callable[..., ResultStore]


@pytest.fixture(
    params=[
        "memory",
        "folder",
        pytest.param("s3", marks=pytest.mark.s3),
        pytest.param("redis", marks=pytest.mark.redis),
    ],
)
def domains(request: pytest.FixtureRequest, tmp_path: Path) -> Domains:
    """Return a function that opens a domain of one fresh store, with those that it trusts."""
    options = None
    if request.param in ("s3", "redis"):
        server = request.getfixturevalue(f"{request.param}_server")
        url, options = server.url(), server.options
    else:
        url = f"memory://{secrets.token_hex(8)}" if request.param == "memory" else str(tmp_path)

    def open_domain(domain: str, trusts: Iterable[str] = ()) -> ResultStore:
        return open_store(url, domain=domain, trusts=trusts, options=options, env={})

    return open_domain


def objects(store: ResultStore) -> dict[str, bytes]:
    """Return everything in a domain that is not of another one, probes and locks left out."""
    paths = [found.path for found in store._backend.list("")]
    return {
        path: bytes(store._backend.get(path) or b"")
        for path in paths
        if path.split("/")[0] not in ("domains", "probe", "lock")
    }


def test_domains_do_not_see_each_other(domains: Domains) -> None:
    """Neither their values nor that they have any."""
    domains("shared").put(key("x"), LARGE)
    put = domains("team-b").put(key("x"), LARGE + 1)
    mine = domains("team-a")
    assert mine.get(key("x")) is MISS
    assert mine.contains([key("x")]) == set()
    assert mine.records([key("x")]) == {}
    with pytest.raises(BlobMissing):
        mine.read_blob(put.digest)
    assert mine.put(key("x"), 7).status is PutStatus.CREATED
    assert same(domains("team-b").get(key("x")), LARGE + 1)
    assert same(domains("shared").get(key("x")), LARGE)


def test_the_own_domain_comes_first_and_the_others_in_order(domains: Domains) -> None:
    """The value is that of the first domain that has the key."""
    for number, name in enumerate(("shared", "team-b", "team-a")):
        for which in range(number, 3):
            domains(name).put(key(which), LARGE * (number + 1))
    store = domains("team-a", ("team-b", "shared"))
    assert store.contains(map(key, range(4))) == set(map(key, range(3)))
    for which, factor in ((2, 3), (1, 2), (0, 1)):
        assert same(store.get(key(which)), LARGE * factor)
        assert same(domains("team-a", ("team-b", "shared")).get(key(which)), LARGE * factor)
    other_order = domains("team-a", ("shared", "team-b"))
    assert same(other_order.get(key(1)), LARGE)


def test_a_result_of_a_trusted_domain_is_used_where_it_is(domains: Domains) -> None:
    """Nothing is copied; its URL names the domain in which it lies."""
    theirs = domains("team-b")
    put = theirs.put(key("x"), LARGE)
    before = objects(theirs)
    mine = domains("team-a", ("team-b",))
    assert mine.contains([key("x")]) == {key("x")}
    (record,) = mine.records([key("x")]).values()
    again = mine.record(key("x"))
    assert again == record
    assert mine.url_of_record(record) == theirs.url_of(put.digest)
    assert mine.read_blob(put.digest) == theirs.read_blob(put.digest)
    assert same(mine.get(key("x")), LARGE)
    assert mine.flush_access()
    assert objects(theirs) == before
    assert objects(mine) == {}
    own = mine.put(key("x"), LARGE)
    (record,) = domains("team-a", ("team-b",)).records([key("x")]).values()
    assert own.status is PutStatus.CREATED
    assert mine.url_of_record(record) == mine.url_of(put.digest)


def test_each_domain_is_asked_only_for_what_is_still_missing(domains: Domains) -> None:
    """A key of the own domain costs one look-up, as without trusted ones."""
    domains("team-a").put(key(0), 1)
    domains("team-b").put(key(1), 2)
    domains("shared").put(key(2), 3)
    for keys, requests in (([0], 1), ([0, 1], 3), ([0, 1, 2], 6), ([3], 3)):
        store = domains("team-a", ("team-b", "shared"))
        store.contains(map(key, keys))
        assert store.counts.requests == requests
        assert len(store.records(map(key, keys), since=0.0)) == len([k for k in keys if k < 3])


def test_a_refresh_reports_the_value_of_a_trusted_domain_that_it_shadows(domains: Domains) -> None:
    """The difference is one between two computations, whoever stored the first; equal ones none."""
    domains("team-b").put(key("x"), LARGE)
    domains("team-b").put(key("y"), 5)
    mine = domains("team-a", ("team-b",))

    assert mine.put(key("x"), 5, replace=True).status is PutStatus.NONDETERMINISTIC
    assert mine.put(key("y"), 5, replace=True).status is PutStatus.CREATED

    assert mine.counts.nondeterministic == 1
    assert mine.get(key("x")) == 5
    assert same(domains("team-b").get(key("x")), LARGE)


def test_what_is_written_is_written_in_the_own_domain(domains: Domains) -> None:
    """Results, pins, costs, leases and files of runs."""
    others = [domains("team-b"), domains("shared")]
    for store in others:
        store.put(key("x"), LARGE)
    before = [objects(store) for store in others]
    mine = domains("team-a", ("team-b", "shared"))
    mine.put(key("x"), LARGE, replace=True)
    mine.put(key("y"), LARGE + 1)
    mine.pin_put(Pin("file:///a", Digest("1" * 64), 5), 5, "v")
    mine.costs.add(KernelCosts({"a.b": {5: Cost(1, 1.0)}}))
    assert mine.lease(key("x"), "me").acquire() is None
    mine.write_run_file("ns/name/uid/results.json", b"{}", "application/json")
    mine.delete([key("x")])
    mine.probe()
    assert [objects(store) for store in others] == before
    assert {path.split("/")[0] for path in objects(mine)} >= {"cas", "ac", "pins", "costs", "lease"}
    assert mine.contains([key("x")]) == {key("x")}, "it is still there in team-b"
    assert others[0].lease(key("x"), "other").acquire() is None
    assert domains("team-b").costs.read() == KernelCosts()


def test_pins_are_believed_from_trusted_domains_only(domains: Domains) -> None:
    """A pin says what an input contains, so it is as good as a result."""
    pin = Pin("s3://bucket/a.nii", Digest("1" * 64), 5)
    domains("team-b").pin_put(pin, 5, "etag", "server")
    assert domains("team-a").pin_get(pin.url, 5, "etag", "server") is None
    assert domains("team-a", ("team-b",)).pin_get(pin.url, 5, "etag", "server") == pin


@pytest.mark.parametrize("of", ["record", "blob"])
@pytest.mark.parametrize("change", [flip, lambda data: b"", lambda data: data + b"x"])
def test_corrupt_objects_of_a_trusted_domain_are_misses_and_stay(
    domains: Domains, of: str, change: Callable[[bytes], bytes]
) -> None:
    """To move them is for those who own them; the next trusted domain may have the result."""
    theirs = domains("team-b")
    put = theirs.put(key("x"), LARGE)
    path = record_path(key("x")) if of == "record" else blob_path(put.digest)
    damage(theirs, path, change)
    before = objects(theirs)
    mine = domains("team-a", ("team-b",))
    assert mine.contains([key("x")]) == set() or of == "blob"
    assert mine.get(key("x")) is MISS
    assert objects(theirs) == before
    domains("shared").put(key("x"), LARGE)
    assert same(domains("team-a", ("team-b", "shared")).get(key("x")), LARGE)
    assert mine.put(key("x"), LARGE).status is PutStatus.CREATED
    assert same(mine.get(key("x")), LARGE)


def test_what_a_trusted_domain_deletes_is_a_miss(domains: Domains) -> None:
    """Also within the minute for which it was known: it is computed again, into the own domain."""
    theirs = domains("team-b")
    theirs.put(key("x"), LARGE)
    mine = domains("team-a", ("team-b",))
    assert mine.contains([key("x")])
    theirs.delete([key("x")])
    assert mine.get(key("x")) is MISS
    assert mine.contains([key("x")]) == set()


def test_maintenance_is_of_one_domain(domains: Domains) -> None:
    """It neither counts, reads nor deletes what is in another one, below the root or beside."""
    for name in ("shared", "team-a", "team-b"):
        store = domains(name)
        store.put(key("x"), LARGE, Provenance("lab.f", 1))
        store.put(key("y"), LARGE + 1)
        store.delete([key("y")])
        store._backend.write(record_path(key("z")), (b"corrupt",), "text/plain")
    team = {name: objects(domains(name)) for name in ("team-a", "team-b")}
    root = domains("shared")
    stats = root.stats()
    assert (stats.records, stats.blobs) == (2, 2)
    found = root.verify()
    assert (found.records, found.blobs, found.corrupt_count) == (2, 2, 1)
    assert root.invalidate(Selection("lab.*")).selected == 1
    done = root.collect(Limits(older_than=0.0, grace=-DAY))
    assert (done.blobs, done.blobs_left) == (2, 0)
    assert {name: objects(domains(name)) for name in team} == team
    mine = domains("team-a", ("team-b",))
    assert mine.verify().records == 2
    assert mine.collect(Limits(older_than=0.0, grace=-DAY)).results == 1
    assert objects(domains("team-b")) == team["team-b"]


def test_a_pickled_store_keeps_its_domains(domains: Domains) -> None:
    """Tasks write where the run does."""
    domains("team-b").put(key("x"), LARGE)
    store = domains("team-a", ("team-b",))
    copy = pickle.loads(pickle.dumps(store))
    assert (copy.url, copy.domains) == (store.url, store.domains)
    assert copy.url.endswith("/domains/team-a")
    tokens = {store.token, domains("team-a").token, domains("shared").token}
    assert len(tokens) == 3


def test_a_refusal_of_a_trusted_domain_is_a_miss(
    domains: Domains, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With one warning; the other domains are still asked."""
    domains("shared").put(key("x"), LARGE)
    domains("team-b").put(key("x"), LARGE + 1)
    mine = domains("team-a", ("team-b", "shared"))

    def refuse(*_: object, **__: object) -> None:
        raise StoreAccessDenied("no")

    theirs = domains("team-b")._backend
    for name in ("read", "head", "open_source", "digest", "read_range"):
        monkeypatch.setattr(theirs, name, refuse)
    mine._trusted[0]._backend._inner = theirs  # type: ignore[attr-defined]  # of a TrustedBackend
    assert mine.contains([key(number) for number in range(100)]) == set()
    assert same(mine.get(key("x")), LARGE)
    refused = [each for each in caplog.messages if "team-b cannot be used: no" in each]
    assert len(refused) == 1


@pytest.mark.parametrize("value", [LARGE, np.arange(3_000_000.0)])
def test_a_blob_that_was_changed_in_place_is_not_known(domains: Domains, value: np.ndarray) -> None:
    """The look-up compares what it is told anyway; the next put replaces the blob."""
    store = domains("team-a")
    put = store.put(key("x"), value)
    asked = domains("team-a")
    assert asked.contains([key("x")])
    requests = asked.counts.requests
    damage(store, blob_path(put.digest), flip)
    assert domains("team-b", ("team-a",)).contains([key("x")]) == set()
    reader = domains("team-a")
    assert reader.contains([key("x")]) == set()
    assert reader.counts.corrupt == 1
    assert store.put(key("x"), value).status is PutStatus.EXISTS
    assert same(domains("team-a").get(key("x")), value)
    domains("team-a").contains([key("x")])  # where the tag is of another time, it is brought up
    healed = domains("team-a")
    assert healed.contains([key("x")]) == {key("x")}
    assert healed.counts.requests == requests


def test_a_blob_that_was_written_again_is_known(domains: Domains) -> None:
    """It is read once; then its record has the new tag."""
    store = domains("team-a")
    put = store.put(key("x"), LARGE)
    damage(store, blob_path(put.digest), lambda data: data)
    assert domains("team-a").contains([key("x")])
    again = domains("team-a")
    assert again.contains([key("x")])
    assert (again.counts.requests, again.counts.corrupt) == (2, 0)


def test_a_put_does_not_believe_a_blob_that_is_there(domains: Domains) -> None:
    """A second result with the same bytes must not make a damaged blob look known."""
    store = domains("team-a")
    put = store.put(key("x"), LARGE)
    damage(store, blob_path(put.digest), flip)
    other = domains("team-a")
    assert other.put(key("y"), LARGE).status is PutStatus.CREATED
    assert same(domains("team-a").get(key("y")), LARGE)
    assert domains("team-a").contains([key("x"), key("y")]) == {key("x"), key("y")}
